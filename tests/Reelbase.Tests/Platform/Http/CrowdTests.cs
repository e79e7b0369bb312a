using System.Net;
using Npgsql;
using Reelbase.Server.Features.Devices;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>However many press at once, some of the database's connections stay free for everybody who reads something.</summary>
public sealed class CrowdTests(TestSystem system) : IClassFixture<TestSystem>
{
    /// <summary>More than the pool of the tests has.</summary>
    private const int Crowd = 24;

    [Fact]
    public async Task While_a_crowd_of_presses_waits_in_the_database_others_are_answered()
    {
        var crowd = await Task.WhenAll(Enumerable.Range(0, Crowd).Select(_ => system.NewGuestAsync()));
        var other = await system.NewGuestAsync();
        await using var connection = new NpgsqlConnection(system.Owner);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (
            var hold = new NpgsqlCommand("select id from users where id = any ($1) for update", connection, transaction)
            {
                Parameters = { new() { Value = crowd.Select(phone => phone.UserId).ToArray() } },
            }
        )
        {
            await hold.ExecuteNonQueryAsync();
        }
        var presses = crowd.Select(phone => phone.GenerateAsync("One of a crowd")).ToList();
        // Twelve of the sixteen connections are theirs, and the rest of the crowd waits outside.
        await Eventually.IsAsync(
            () =>
                system.QueryAsync<long>(
                    "select count(*) from pg_stat_activity where datname = current_database() and usename = 'reelbase_api' and wait_event_type = 'Lock'"
                ),
            waiting => waiting >= 12
        );
        Assert.Equal(10, await other.CreditsAsync());
        await transaction.RollbackAsync();
        Assert.All(await Task.WhenAll(presses), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task While_a_crowd_of_strangers_waits_in_the_database_users_press_all_the_same()
    {
        var user = await system.NewGuestAsync();
        await using var connection = new NpgsqlConnection(system.Owner);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var ids = Enumerable.Range(0, Crowd).Select(_ => Guid.NewGuid().ToString()).ToList();
        await using (
            var hold = new NpgsqlCommand(
                "select pg_advisory_xact_lock(hashtextextended('device:' || internal.device_id_hash(id), 0)) from unnest($1) id",
                connection,
                transaction
            )
            {
                Parameters = { new() { Value = ids.ToArray() } },
            }
        )
        {
            await hold.ExecuteNonQueryAsync();
        }
        var strangers = ids.ConvertAll(id => Phone.CheckAsync(system.Url, id, Phone.TokenOf(id)));
        // A quarter of the twelve places of crowds is theirs, and the rest of them waits outside.
        await Eventually.IsAsync(WaitingAsync, waiting => waiting >= 3);
        Assert.Equal(HttpStatusCode.OK, (await user.GenerateAsync("While strangers wait").WaitAsync(Patience.Span)).Status);
        Assert.Equal(3, await WaitingAsync());
        await transaction.RollbackAsync();
        Assert.All(await Task.WhenAll(strangers), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        await system.AssertLedgerAsync();

        Task<long> WaitingAsync() =>
            system.QueryAsync<long>(
                "select count(*) from pg_stat_activity where datname = current_database() and usename = 'reelbase_api' and wait_event_type = 'Lock'"
            );
    }

    [Fact]
    public async Task While_the_turn_of_grants_is_taken_only_so_many_new_devices_wait_for_it_and_the_others_have_their_session()
    {
        const int Over = 6;
        await system.ExecuteAsync(
            "insert into installation_leases (name, leased_by, lease_until) values ('device_grant', 'somebody', now() + interval '1 hour') "
                + "on conflict (name) do update set leased_by = excluded.leased_by, lease_until = excluded.lease_until"
        );
        List<Task<ApiResponse>> strangers;
        try
        {
            strangers = Enumerable
                .Range(0, DeviceCheckEndpoint.MaxWaitingForTurn + Over)
                .Select(_ => Guid.NewGuid().ToString())
                .Select(id => Phone.CheckAsync(system.Url, id, Phone.TokenOf(id)))
                .ToList();
            await Eventually.IsAsync(() => Task.FromResult(strangers.Count(answer => answer.IsCompleted)), answered => answered >= Over);
        }
        finally
        {
            await system.ExecuteAsync("update installation_leases set leased_by = null, lease_until = null where name = 'device_grant'");
        }
        var answers = await Task.WhenAll(strangers);
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.InRange(answers.Count(answer => !answer["is_valid_device"].GetBoolean()), Over, answers.Length);
        // A worker decides the grants that nobody waited for.
        await system.AssertEventuallyNoOpenGrantAsync();
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_crowd_of_strangers_whose_sessions_are_opened_takes_no_more_places_than_before()
    {
        var user = await system.NewGuestAsync();
        await using var connection = new NpgsqlConnection(system.Owner);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("lock table refresh_tokens in share row exclusive mode", connection, transaction))
        {
            await hold.ExecuteNonQueryAsync();
        }
        var strangers = Enumerable
            .Range(0, Crowd)
            .Select(_ => Guid.NewGuid().ToString())
            .Select(id => Phone.CheckAsync(system.Url, id, Phone.TokenOf(id)))
            .ToList();
        await Eventually.IsAsync(WaitingAsync, waiting => waiting >= 3);
        Assert.Equal(10, await user.CreditsAsync());
        Assert.Equal(3, await WaitingAsync());
        await transaction.RollbackAsync();
        Assert.All(await Task.WhenAll(strangers), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));

        Task<long> WaitingAsync() =>
            system.QueryAsync<long>(
                "select count(*) from pg_stat_activity where datname = current_database() and usename = 'reelbase_api' and wait_event_type = 'Lock'"
            );
    }

    [Fact]
    public async Task Whoever_has_waited_for_a_place_reads_once_more_without_one()
    {
        await using var database = new ApiDatabase(ConnectionStrings.From(new DatabaseOptions { MaxPoolSize = 3 }, system.Owner), 0);
        var hold = new TaskCompletionSource<int>();
        var first = database.WithPlaceAsync(() => hold.Task, CancellationToken.None);
        var (isWorthIt, wasCalled) = (false, false);
        var second = database.WithPlaceAsync(
            () =>
            {
                wasCalled = true;
                return Task.FromResult(2);
            },
            CancellationToken.None,
            new RepeatedCheck(
                () => isWorthIt,
                async () =>
                {
                    // The one place is free meanwhile.
                    Assert.Equal(3, await database.WithPlaceAsync(() => Task.FromResult(3), CancellationToken.None).WaitAsync(Patience.Span));
                    throw new ApiException("ERR_4004");
                }
            )
        );
        isWorthIt = true;
        hold.SetResult(1);
        Assert.Equal(1, await first);
        await Assert.ThrowsAsync<ApiException>(() => second.WaitAsync(Patience.Span));
        Assert.False(wasCalled);
        Assert.Equal(4, await database.WithPlaceAsync(() => Task.FromResult(4), CancellationToken.None).WaitAsync(Patience.Span));
    }
}
