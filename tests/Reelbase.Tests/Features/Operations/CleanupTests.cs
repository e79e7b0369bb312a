using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What is old enough goes, in batches and without being noticed; what is money stays.</summary>
public sealed class CleanupTests(CleanupTests.Installation system) : IClassFixture<CleanupTests.Installation>
{
    public sealed class Installation : TestSystem
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
        var phone = await system.NewGuestAsync(100);
        var old = await phone.GenerateAndWatchAsync("Eight days old");
        var young = await phone.GenerateAndWatchAsync("Of today");
        var oldJob = old.GetProperty("job_id").GetString();
        await system.ExecuteAsync(
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
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from storage_objects where job_id = '{oldJob}'"), files => files == 0);
        Assert.Equal(
            "|{}|8|1",
            (
                await system.RowsAsync(
                    $"select prompt, settings, credits_used, (select count(*) from quota_log q where q.job_id = j.job_id) from video_jobs j where job_id = '{oldJob}'"
                )
            )[0]
        );
        // Never for being unused.
        Assert.Equal(
            1L,
            await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{phone.UserId}' and refreshed_at < now() - interval '2 years'")
        );
        Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from rate_limit_log where action = 'young' and user_id = '{phone.UserId}'"));
        Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from webhook_deliveries where job_id = '{oldJob}' and payload is null"));
        var report = await system.QueryAsync<string>("select report::text from schedules where name = 'cleanup'");
        Assert.Contains("\"videos\": 1", report, StringComparison.Ordinal);
        await Eventually.IsAsync(async () => await MessagesAsync(), text => text.Contains("[cleanup_summary] Cleanup: videos 1", StringComparison.Ordinal));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Two_nodes_do_a_night_once()
    {
        await NightAsync();
        await using var second = system.BuildServer();
        await second.StartAsync();
        var finished = await system.QueryAsync<DateTime>("select last_finished_at from schedules where name = 'cleanup'");
        Assert.False(await system.QueryAsync<bool>("select claim_schedule('cleanup', 'a third', 60, now() - interval '1 hour')"));
        Assert.Equal(finished, await system.QueryAsync<DateTime>("select last_finished_at from schedules where name = 'cleanup'"));
        await second.StopAsync();
    }

    [Fact]
    public async Task A_ledger_that_does_not_add_up_is_reported()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync(
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
                await system.RowsAsync($"select kind from alerts where message like '%{phone.UserId}%' order by kind")
            );
        }
        finally
        {
            await system.ExecuteAsync(
                $"""
                alter table users disable trigger users_balance_matches_ledger;
                update users set credits_remaining = 10 where id = '{phone.UserId}';
                alter table users enable trigger users_balance_matches_ledger;
                """
            );
        }
    }

    [Fact]
    public async Task A_batch_takes_the_videos_of_many_users_and_passes_over_whoever_is_held()
    {
        var phones = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => system.NewGuestAsync()));
        foreach (var phone in phones)
        {
            await phone.GenerateAndWatchAsync("Of one of six");
        }
        await system.ExecuteAsync("update video_jobs set created_at = now() - interval '9 days' where prompt = 'Of one of six'");
        await using var connection = new Npgsql.NpgsqlConnection(system.Owner);
        await connection.OpenAsync();
        await using (var holder = await connection.BeginTransactionAsync())
        {
            await using var hold = new Npgsql.NpgsqlCommand($"select 1 from users where id = '{phones[2].UserId}' for update", connection, holder);
            await hold.ExecuteScalarAsync();
            await RemoveAsync(5);
        }
        await RemoveAsync(1);
        Assert.Equal(0L, await system.QueryAsync<long>("select count(*) from video_jobs where prompt = 'Of one of six'"));

        // A bill that is being written down holds its job for a moment, and that one comes with the next batch.
        async Task RemoveAsync(long count)
        {
            var removed = 0L;
            await Eventually.IsAsync(
                async () => removed += await system.QueryAsync<long>("""select clean_up('videos', '{"video_days":7}', 100, false)"""),
                all => all == count
            );
        }
    }

    [Fact]
    public async Task What_cannot_be_removed_stops_neither_the_other_rows_nor_the_other_kinds()
    {
        var phones = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => system.NewGuestAsync()));
        foreach (var phone in phones)
        {
            await phone.GenerateAndWatchAsync("Of one of five");
        }
        await system.ExecuteAsync(
            $"""
            update video_jobs set created_at = now() - interval '20 days' where prompt = 'Of one of five' and user_id = '{phones[0].UserId}';
            update video_jobs set created_at = now() - interval '9 days' where prompt = 'Of one of five' and user_id <> '{phones[0].UserId}';
            insert into rate_limit_log (action, created_at) values ('stuck', now() - interval '8 days');
            insert into error_log (error_code, created_at) values ('ERR_4000', now() - interval '31 days');
            create function refuse() returns trigger language plpgsql as $$ begin raise exception 'this row is stuck'; end $$;
            create trigger stuck before update of deleted_at on video_jobs for each row when (old.user_id = '{phones[0].UserId}') execute function refuse();
            create trigger stuck before delete on rate_limit_log for each row when (old.action = 'stuck') execute function refuse();
            """
        );
        try
        {
            await NightAsync();
            Assert.Equal(
                phones[0].UserId.ToString(),
                Assert.Single(await system.RowsAsync("select user_id from video_jobs where prompt = 'Of one of five' and deleted_at is null"))
            );
            Assert.Equal(0L, await system.QueryAsync<long>("select count(*) from error_log where created_at < now() - interval '30 days'"));
            Assert.Equal(
                ["rate_limits", "videos"],
                (
                    await system.RowsAsync(
                        "select case when message like '%rate_limits%' then 'rate_limits' else 'videos' end from alerts where kind = 'cleanup_failed'"
                    )
                ).Order()
            );
            Assert.Contains(
                "this row is stuck",
                await system.QueryAsync<string>("select report ->> 'failed' from schedules where name = 'cleanup'"),
                StringComparison.Ordinal
            );
        }
        finally
        {
            await system.ExecuteAsync(
                """
                drop trigger stuck on video_jobs; drop trigger stuck on rate_limit_log; drop function refuse();
                delete from rate_limit_log where action = 'stuck';
                update video_jobs set created_at = now() where prompt = 'Of one of five';
                """
            );
        }
    }

    [Fact]
    public async Task A_night_that_breaks_off_gives_its_lease_back_and_the_next_try_goes_on()
    {
        await NightAsync();
        await system.ExecuteAsync(
            """
            create function refuse_alerts() returns trigger language plpgsql as $$ begin raise exception 'no alerts today'; end $$;
            create trigger stuck before insert on alerts for each row when (new.kind = 'cleanup_summary') execute function refuse_alerts();
            update schedules set last_finished_at = now() - interval '2 days', report = '{}' where name = 'cleanup';
            """
        );
        try
        {
            await Eventually.IsAsync(
                () => system.QueryAsync<string>("select report ->> 'broke_off' from schedules where name = 'cleanup' and lease_until is null"),
                reason => reason?.Contains("no alerts today", StringComparison.Ordinal) ?? false
            );
        }
        finally
        {
            await system.ExecuteAsync("drop trigger stuck on alerts; drop function refuse_alerts()");
        }
        await FinishedAsync();
    }

    [Fact]
    public async Task Everything_that_grew_without_end_has_one()
    {
        var phone = await system.NewGuestAsync();
        var admin = await system.QueryAsync<Guid>("select create_admin('cleanup@example.com', 'a hash', 'sealed')");
        await system.ExecuteAsync(
            $"""
            insert into sessions (id, user_id, refresh_counter) values ('00000000-0000-7000-8000-000000000001', '{phone.UserId}', 9);
            insert into refresh_tokens (session_id, counter, user_id, token_hash, created_at)
            select '00000000-0000-7000-8000-000000000001', n, '{phone.UserId}', sha256(n::text::bytea), now() - interval '40 days' + make_interval(days => n * 4)
            from generate_series(0, 9) n;
            insert into sessions (user_id, method, created_at) values ('{admin}', 'admin', now() - interval '9 days'), ('{admin}', 'admin', now());
            insert into device_grants (user_id, device_id, stage, decided_at, purpose, bit1_wanted)
            select '{phone.UserId}', 'cleaned', stage, now() - interval '31 days', purpose, true from (values
              ('rejected', 'grant'), ('abandoned', 'grant'), ('denied', 'grant'), ('granted', 'mark')) g (stage, purpose);
            update device_grants set decided_at = now() - interval '31 days' where user_id = '{phone.UserId}' and stage = 'granted';
            insert into user_consents (user_id, kind, version, granted_at, withdrawn_at)
            select '{phone.UserId}', 'terms', n::text, now() - interval '500 days', now() - interval '400 days' from generate_series(1, 3) n;
            insert into alerts (kind, dedupe_key, message, status, finished_at) values
              ('old_alert', '1', 'x', 'sent', now() - interval '91 days'), ('new_alert', '1', 'x', 'sent', now());
            insert into apple_authorizations (user_id, client_id, stage, updated_at) values ('{phone.UserId}', 'x', 'revoked', now() - interval '31 days');
            """
        );
        await NightAsync();
        // The predecessor is accepted without limit of time; of the others those older than 30 days went.
        Assert.Equal(
            ["3", "4", "5", "6", "7", "8", "9"],
            await system.RowsAsync("select counter from refresh_tokens where session_id = '00000000-0000-7000-8000-000000000001' order by counter")
        );
        Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{admin}'"));
        // Whoever was denied is not asked about again.
        Assert.Equal(["denied"], await system.RowsAsync($"select stage from device_grants where user_id = '{phone.UserId}'"));
        Assert.Equal(["3"], await system.RowsAsync($"select version from user_consents where user_id = '{phone.UserId}'"));
        Assert.Equal(["new_alert"], await system.RowsAsync("select kind from alerts where kind in ('old_alert', 'new_alert')"));
        Assert.Equal(0L, await system.QueryAsync<long>("select count(*) from apple_authorizations where client_id = 'x'"));
    }

    [Fact]
    public async Task Every_table_says_what_bounds_it()
    {
        var readme = await File.ReadAllTextAsync(Repository.PathOf("src/Reelbase.Server/Features/Operations/Cleanup/README.md"));
        var declared = System
            .Text.RegularExpressions.Regex.Matches(readme, @"^\| `([a-z_.]+)` \| .+ \|$", System.Text.RegularExpressions.RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value)
            .ToList();
        var tables = await system.RowsAsync(
            """
            select case when n.nspname = 'public' then c.relname else n.nspname || '.' || c.relname end from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
            """
        );
        Assert.Equal(tables.Order(StringComparer.Ordinal), declared.Order(StringComparer.Ordinal));
    }

    private static readonly string[] Kinds = ["videos", "idempotency", "rate_limits", "errors", "sessions", "payloads"];

    private Task<long> CountAsync(string kind) =>
        system.QueryAsync<long>($$"""select clean_up('{{kind}}', '{"video_days":7,"rate_limit_days":7,"error_days":30,"payload_days":30}', 100, true)""");

    /// <summary>Lets a night pass.</summary>
    private async Task NightAsync()
    {
        await system.ExecuteAsync(
            // The cleaner writes its row at its first run, which may be still to come.
            "insert into schedules (name, last_finished_at) values ('cleanup', now() - interval '2 days') on conflict (name) do update set last_finished_at = excluded.last_finished_at; delete from alerts where kind = 'cleanup_summary'"
        );
        await FinishedAsync();
    }

    private Task FinishedAsync() =>
        Eventually.IsAsync(
            () =>
                system.QueryAsync<bool>(
                    "select coalesce(bool_and(last_finished_at > now() - interval '1 minute' and lease_until is null), false) from schedules where name = 'cleanup'"
                ),
            isDone => isDone
        );

    private async Task<string> MessagesAsync() => await system.Control.GetStringAsync("/_control/telegram/messages");
}
