using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What is old enough goes, in batches and without being noticed; what is money stays.</summary>
public sealed class CleanupTests(CleanupTests.House house) : IClassFixture<CleanupTests.House>
{
    public sealed class House : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Cleanup:LookSeconds"] = "0.3",
                ["Cleanup:BatchRows"] = "2",
                ["Cleanup:PauseMilliseconds"] = "1",
            };
    }

    [Fact]
    public async Task The_night_removes_what_is_old_enough_and_leaves_the_rest()
    {
        var phone = await house.NewGuestAsync(100);
        var old = await phone.GenerateAndWatchAsync("Eight days old");
        var young = await phone.GenerateAndWatchAsync("Of today");
        var oldJob = old.GetProperty("job_id").GetString();
        await house.ExecuteAsync(
            $"""
            update video_jobs set created_at = now() - interval '8 days' where job_id = '{oldJob}';
            update idempotency_log set expires_at = now() - interval '1 hour' where job_id = '{oldJob}';
            insert into rate_limit_log (action, user_id, created_at) select 'old', '{phone.UserId}', now() - interval '8 days' from generate_series(1, 5);
            insert into rate_limit_log (action, user_id) values ('young', '{phone.UserId}');
            insert into error_log (error_code, created_at) select 'ERR_4000', now() - interval '31 days' from generate_series(1, 5);
            insert into sessions (user_id, revoked_at) select '{phone.UserId}', now() - interval '2 days' from generate_series(1, 3);
            insert into sessions (user_id, refreshed_at, created_at) values ('{phone.UserId}', now() - interval '3 years', now() - interval '3 years');
            update webhook_deliveries set created_at = now() - interval '31 days' where job_id = '{oldJob}';
            """
        );
        Assert.Equal("1 1 5 5 3 1", string.Join(' ', await Task.WhenAll(Kinds.Select(kind => CountAsync(kind)))));
        await NightAsync();

        Assert.Equal("0 0 0 0 0 0", string.Join(' ', await Task.WhenAll(Kinds.Select(kind => CountAsync(kind)))));
        Assert.Equal(HttpStatusCode.NotFound, (await phone.GetAsync($"/get-video-status?job_id={oldJob}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.GetAsync($"/get-video-status?job_id={young.GetProperty("job_id").GetString()}")).Status);
        await Eventually.IsAsync(() => house.QueryAsync<long>($"select count(*) from storage_objects where job_id = '{oldJob}'"), files => files == 0);
        Assert.Equal(
            "|{}|8|1",
            (
                await house.RowsAsync(
                    $"select prompt, settings, credits_used, (select count(*) from quota_log q where q.job_id = j.job_id) from video_jobs j where job_id = '{oldJob}'"
                )
            )[0]
        );
        // Never for being unused.
        Assert.Equal(
            1L,
            await house.QueryAsync<long>($"select count(*) from sessions where user_id = '{phone.UserId}' and refreshed_at < now() - interval '2 years'")
        );
        Assert.Equal(1L, await house.QueryAsync<long>($"select count(*) from rate_limit_log where action = 'young' and user_id = '{phone.UserId}'"));
        Assert.Equal(1L, await house.QueryAsync<long>($"select count(*) from webhook_deliveries where job_id = '{oldJob}' and payload is null"));
        var report = await house.QueryAsync<string>("select report::text from schedules where name = 'cleanup'");
        Assert.Contains("\"videos\": 1", report, StringComparison.Ordinal);
        await Eventually.IsAsync(async () => await MessagesAsync(), text => text.Contains("[cleanup_summary] Cleanup: videos 1", StringComparison.Ordinal));
        await house.AssertLedgerAsync();
    }

    [Fact]
    public async Task Two_nodes_do_a_night_once()
    {
        await NightAsync();
        await using var second = house.BuildServer();
        await second.StartAsync();
        var finished = await house.QueryAsync<DateTime>("select last_finished_at from schedules where name = 'cleanup'");
        Assert.False(await house.QueryAsync<bool>("select claim_schedule('cleanup', 'a third', 60, now() - interval '1 hour')"));
        Assert.Equal(finished, await house.QueryAsync<DateTime>("select last_finished_at from schedules where name = 'cleanup'"));
        await second.StopAsync();
    }

    [Fact]
    public async Task Books_that_do_not_add_up_are_told()
    {
        var phone = await house.NewGuestAsync();
        await house.ExecuteAsync(
            $"""
            alter table users disable trigger users_balance_matches_ledger;
            update users set credits_remaining = 11000 where id = '{phone.UserId}';
            alter table users enable trigger users_balance_matches_ledger;
            """
        );
        try
        {
            await NightAsync();
            Assert.Equal(
                ["ledger_mismatch", "unusual_balance"],
                await house.RowsAsync($"select kind from alerts where message like '%{phone.UserId}%' order by kind")
            );
        }
        finally
        {
            await house.ExecuteAsync(
                $"""
                alter table users disable trigger users_balance_matches_ledger;
                update users set credits_remaining = 10 where id = '{phone.UserId}';
                alter table users enable trigger users_balance_matches_ledger;
                """
            );
        }
    }

    private static readonly string[] Kinds = ["videos", "idempotency", "rate_limits", "errors", "sessions", "payloads"];

    private Task<long> CountAsync(string kind) =>
        house.QueryAsync<long>($$"""select clean_up('{{kind}}', '{"video_days":7,"rate_limit_days":7,"error_days":30,"payload_days":30}', 100, true)""");

    /// <summary>Lets a night pass.</summary>
    private async Task NightAsync()
    {
        await house.ExecuteAsync(
            "update schedules set last_finished_at = now() - interval '2 days' where name = 'cleanup'; delete from alerts where kind = 'cleanup_summary'"
        );
        await Eventually.IsAsync(
            () =>
                house.QueryAsync<bool>(
                    "select coalesce(bool_and(last_finished_at > now() - interval '1 minute' and lease_until is null), false) from schedules where name = 'cleanup'"
                ),
            isDone => isDone
        );
    }

    private async Task<string> MessagesAsync() => await house.Control.GetStringAsync("/_control/telegram/messages");
}
