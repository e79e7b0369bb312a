using System.Net;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>However many press at once, some of the database's connections stay free for everybody who looks at something.</summary>
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
}
