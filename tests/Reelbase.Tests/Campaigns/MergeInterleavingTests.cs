using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>
/// Hundreds of guests with jobs in flight become part of a member while they press, while their jobs end, are deleted and stored, while a purchase of theirs arrives and their
/// grant is given: all at once and in random order, through the server's own roles.
/// </summary>
[Campaign]
[Collection(NonParallelCollection.Name)]
public sealed class MergeInterleavingTests(MergeInterleavingTests.ApiOnly system) : IClassFixture<MergeInterleavingTests.ApiOnly>
{
    private static readonly int Rounds = Campaign.Share(50, 5000);
    private const int GuestCredits = 50;
    private const int MemberCredits = 20;
    private const int GrantCredits = 10;
    private const int PackCredits = 25;

    private static readonly SemaphoreSlim _grants = new(1, 1);

    /// <summary>Nobody but the test does the worker's part.</summary>
    public sealed class ApiOnly : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Server:Roles:0"] = "api", ["Server:Roles:1"] = "api" };
    }

    [Fact]
    public async Task Nothing_is_lost_and_nothing_doubled_in_any_interleaving()
    {
        var guests = await Crowd.MakeAsync(system, Rounds, GuestCredits);
        var members = await Crowd.MakeAsync(system, Rounds, MemberCredits, "subject:");
        await system.ExecuteAsync("insert into device_grants (user_id, device_id) select id, id::text from users where is_guest");
        var wrong = new List<string>();
        var rounds = new ConcurrentBag<Round>();
        await Crowd.EachAsync(
            guests.Zip(members).Select((pair, index) => (Guest: pair.First, Member: pair.Second, Index: index)),
            async round =>
            {
                rounds.Add(await PlayAsync(round.Guest, round.Member, new Random(Campaign.Seed + round.Index)));
            }
        );
        var rows = await ReadAsync();
        foreach (var round in rounds)
        {
            if (await JudgeAsync(round, rows) is { } fault)
            {
                wrong.Add($"guest {round.Guest.UserId}: {fault}");
            }
        }
        Assert.True(wrong.Count == 0, $"{Campaign.Repeat}\n" + string.Join('\n', wrong.Take(10)));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_member_who_leaves_while_a_guest_joins_takes_nobodys_credits_along()
    {
        var rounds = Campaign.Share(50, 1000);
        var api = system.Server.Services.GetRequiredService<ApiDatabase>();
        var guests = await Crowd.MakeAsync(system, rounds, GuestCredits);
        var members = await Crowd.MakeAsync(system, rounds, MemberCredits, "subject:");
        await Crowd.EachAsync(
            guests.Zip(members),
            async pair =>
            {
                await Task.WhenAll(
                    Task.Run(() => LinkAsync(api, pair.First, pair.Second)),
                    Task.Run(() => api.ListAsync<string>(pair.Second.Caller, "select delete_account()::text", CancellationToken.None)),
                    Task.Run(() => PressOrFailAsync(api, pair.First))
                );
            }
        );
        foreach (var (guest, member) in guests.Zip(members))
        {
            var row = (
                await system.RowsAsync(
                    $"""
                    select m.deleted_at is not null, g.deleted_at is not null, g.merged_into is not null, g.apple_sub is not null,
                      g.credits_remaining - coalesce((select sum(q.change) from quota_log q join video_jobs j on j.job_id = q.job_id where j.user_id = g.id), 0),
                      (select count(*) from video_jobs where user_id in (g.id, m.id) and deleted_at is null and g.merged_into is not null)
                    from users g, users m where g.id = '{guest.UserId}' and m.id = '{member.UserId}'
                    """
                )
            )[0];
            // Either the guest joined first and left with the member, or found the account free and is its member now, with everything.
            Assert.Contains(row, new[] { "True|True|True|False|0|0", $"True|False|False|True|{GuestCredits}|0" });
        }
        await system.AssertLedgerAsync();
    }

    /// <summary>A press, which a guest who has just left with their member is refused.</summary>
    private static async Task PressOrFailAsync(ApiDatabase api, Crowd.Member guest)
    {
        try
        {
            await PressAsync(api, guest, Guid.NewGuid(), 4);
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == "RB001")
        {
            Assert.Equal("ERR_4005", error.MessageText);
        }
    }

    private async Task<Round> PlayAsync(Crowd.Member guest, Crowd.Member member, Random random)
    {
        var api = system.Server.Services.GetRequiredService<ApiDatabase>();
        var worker = system.Server.Services.GetRequiredService<WorkerDatabase>();
        // Three jobs in flight: one will fail, one is deleted, one is stored.
        var failing = await PressAsync(api, guest, Guid.NewGuid(), 4);
        var deleted = await PressAsync(api, guest, Guid.NewGuid(), 4);
        var storing = await PressAsync(api, guest, Guid.NewGuid(), 4);
        var key = Guid.NewGuid();
        var hasGrant = random.Next(8) == 0;
        var transaction = JsonSerializer.Serialize(
            new
            {
                environment = "Production",
                transaction_id = guest.UserId.ToString("N"),
                product_id = Apple.Pack25,
                quantity = 1,
                app_account_token = guest.UserId,
                purchased_at = 1_790_000_000_000,
                signed_at = 1_790_000_000_000,
                revoked_percentage = 0,
            }
        );
        const string policy = """{"accept_sandbox":true,"sandbox_credits_per_user":50,"sandbox_credits_per_day":200}""";
        var joins = new List<string>();
        var presses = new List<Guid?>();
        Func<Task>[] acts =
        [
            async () => Add(joins, await LinkAsync(api, guest, member)),
            async () => Add(joins, await LinkAsync(api, guest, member)),
            async () => Add(presses, await PressAsync(api, guest, key, 4)),
            async () => Add(presses, await PressAsync(api, guest, key, 4)),
            async () => await PressAsync(api, guest, Guid.NewGuid(), 6),
            async () => await PressAsync(api, member, Guid.NewGuid(), 4),
            async () => await worker.ExecuteAsync("select fail_video_job($1, null, 'ERR_5002', 'm')", default, failing),
            async () => await worker.ExecuteAsync("select fail_video_job($1, null, 'ERR_5002', 'm')", default, failing),
            async () => await DeleteAsync(api, guest, deleted!.Value),
            async () => await worker.ExecuteAsync("select reserve_storage_object('videos', $1, $2, $3)", default, $"{storing}.mp4", guest.UserId, storing),
            async () =>
                await worker.ScalarAsync<string>("select record_transaction(null, $1::jsonb, 'notification', $2::jsonb)::text", default, transaction, policy),
            async () => await api.ListAsync<object>(guest.Caller, "select * from claim_purchase($1::jsonb, $2::jsonb)", default, transaction, policy),
            // One turn for the whole installation: every eighth round has to be enough.
            async () => await (hasGrant ? GrantAsync(guest) : Task.CompletedTask),
            async () => await api.ExecuteAsync(guest.Caller, "select register_push_token($1, 'production', 'alert', 20)", default, guest.UserId.ToString("N")),
        ];
        random.Shuffle(acts);
        foreach (var some in acts.Chunk(random.Next(1, acts.Length + 1)))
        {
            await Task.WhenAll(some.Select(act => Task.Run(act)));
        }
        return new(guest, member, joins, presses, hasGrant ? 1 : 0);
    }

    /// <summary>Compares what is there with what must be there, whatever came first.</summary>
    private async Task<string?> JudgeAsync(Round round, Dictionary<Guid, string[]> rows)
    {
        var (guest, member, joins, presses, grants) = round;
        var granted = grants * GrantCredits;
        var api = system.Server.Services.GetRequiredService<ApiDatabase>();
        if (joins.Count(outcome => outcome == "merged") != 1 || !joins.All(outcome => outcome is "merged" or "already"))
        {
            return $"the merge answered {string.Join(", ", joins)}";
        }
        if (presses.Distinct().Count() != 1)
        {
            return "one key made two jobs";
        }
        var row = rows[guest.UserId];
        var jobs = int.Parse(row[4]);
        var expected = GuestCredits + MemberCredits + granted + PackCredits + int.Parse(row[6]);
        var seenByGuest = (await api.ListAsync<Balance>(guest.Caller, "select credits_remaining from get_user_credits()", default))[0].CreditsRemaining;
        var found = string.Join('|', row[..4]) + $"|{row[7]}|{row[8]}|{row[9]}|{row[10]}|{row[11]}|{row[12]}|{row[13]}|{seenByGuest}";
        var wanted =
            $"{expected}|0|True|0|2|{member.UserId}|1|{(grants == 0 ? "" : "1")}|{member.UserId}|{GuestCredits + MemberCredits + granted + PackCredits}|0|{expected}";
        return found != wanted ? $"found {found}, wanted {wanted}"
            : jobs != int.Parse(row[5]) || jobs != 6 ? $"{jobs} jobs with {row[5]} charges"
            : null;
    }

    private static async Task<Guid?> PressAsync(ApiDatabase api, Crowd.Member who, Guid key, int seconds) =>
        (
            await api.ListAsync<Accepted>(
                who.Caller,
                "select job_id from generate_video($1, $2::jsonb, null, '{}'::jsonb, 3600, null)",
                default,
                key,
                $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"While merging","settings":{"duration":{{seconds}} } }"""
            )
        )[0].JobId;

    private static async Task<string> LinkAsync(ApiDatabase api, Crowd.Member guest, Crowd.Member member) =>
        (await api.ListAsync<Linked>(guest.Caller, "select outcome from link_apple_identity($1, null, true)", default, "subject:" + member.UserId))[0].Outcome;

    private static async Task DeleteAsync(ApiDatabase api, Crowd.Member guest, Guid job) =>
        await api.ExecuteAsync(guest.Caller, "select delete_video_job($1)", default, job);

    /// <summary>A grant's last two steps, for which there is one turn in the whole installation.</summary>
    private async Task GrantAsync(Crowd.Member guest)
    {
        await _grants.WaitAsync();
        try
        {
            await system.QueryAsync<object>(
                $"""
                insert into installation_leases as l (name, leased_by, lease_until) values ('device_grant', '{guest.UserId}', now() + interval '1 minute')
                on conflict (name) do update set leased_by = excluded.leased_by, lease_until = excluded.lease_until;
                update device_grants set stage = 'bit_set', bit0 = false, leased_by = '{guest.UserId}', lease_until = now() + interval '1 minute'
                where device_id = internal.device_id_hash('{guest.UserId}')
                """
            );
            await system.ExecuteAsync(
                $"select grant_initial_credits(id, '{guest.UserId}', {GrantCredits}, null) from device_grants where device_id = internal.device_id_hash('{guest.UserId}')"
            );
        }
        finally
        {
            _grants.Release();
        }
    }

    private static void Add<T>(List<T> list, T item)
    {
        lock (list)
        {
            list.Add(item);
        }
    }

    /// <summary>What became of each guest and member, in one query of all of them.</summary>
    private async Task<Dictionary<Guid, string[]>> ReadAsync() => (
            await system.RowsAsync(
                """
                with jobs as (
                  select j.user_id, count(distinct j.job_id) as jobs, count(*) filter (where q.reason = 'video_generation') as charges,
                    sum(q.change) as net, count(*) filter (where q.reason = 'generation_failed_refund') as refunds
                  from video_jobs j left join quota_log q on q.job_id = j.job_id group by j.user_id),
                files as (select user_id, string_agg(user_id::text, ' ') as owners from storage_objects group by user_id),
                bought as (select replace(transaction_id, '-', '') as id, count(*) as rows from quota_log where reason = 'iap_purchase' group by 1),
                grants as (select coalesce(u.merged_into, u.id) as user_id, count(*) as rows
                  from quota_log q join users u on u.id = q.user_id where q.reason = 'initial_grant' group by 1),
                keys as (select user_id, count(*) as rows from idempotency_log group by user_id)
                select g.id, m.credits_remaining, g.credits_remaining, g.merged_into = m.id,
                  (select count(*) from video_jobs where user_id = g.id), jobs.jobs, jobs.charges, jobs.net, jobs.refunds,
                  files.owners, bought.rows, grants.rows,
                  (select string_agg(t.user_id::text, ' ') from push_tokens t where t.token = replace(g.id::text, '-', '')),
                  m.credits_total, coalesce(keys.rows, 0)
                from users g join users m on m.id = g.merged_into
                left join jobs on jobs.user_id = m.id left join files on files.user_id = m.id
                left join bought on bought.id = replace(g.id::text, '-', '') left join grants on grants.user_id = m.id
                left join keys on keys.user_id = g.id
                """
            )
        ).Select(row => row.Split('|')).ToDictionary(row => Guid.Parse(row[0]), row => row[1..]);

    private sealed record Round(Crowd.Member Guest, Crowd.Member Member, List<string> Links, List<Guid?> Presses, int Grants);

    private sealed record Accepted(Guid? JobId);

    private sealed record Linked(string Outcome);

    private sealed record Balance(int CreditsRemaining);
}
