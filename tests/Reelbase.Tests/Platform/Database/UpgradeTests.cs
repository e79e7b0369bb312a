using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>A database from before Reelbase is taken over with everything in it.</summary>
public sealed class UpgradeTests(UpgradeTests.Older system) : IClassFixture<UpgradeTests.Older>
{
    private const string Guest = "10000000-0000-4000-8000-000000000001";
    private const string Twin = "10000000-0000-4000-8000-000000000002";
    private const string Member = "10000000-0000-4000-8000-000000000003";

    /// <summary>The older database, migrated; no server runs on it until a test starts one.</summary>
    public sealed class Older : IAsyncLifetime
    {
        public string Owner { get; private set; } = "";
        public MigrationResult Result { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Owner = await TestCluster.EmptyAsync();
            await TestCluster.ExecuteAsync(
                Owner,
                await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Platform", "Database", "Fixtures", "older-database.sql"))
            );
            Result = await new Migrator(Owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        }

        public ValueTask DisposeAsync() => default;

        public async Task<List<string>> RowsAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(Owner);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            await using var reader = await command.ExecuteReaderAsync();
            var rows = new List<string>();
            while (await reader.ReadAsync())
            {
                rows.Add(
                    string.Join(
                        '|',
                        Enumerable
                            .Range(0, reader.FieldCount)
                            .Select(column => Convert.ToString(reader.GetValue(column), System.Globalization.CultureInfo.InvariantCulture))
                    )
                );
            }
            return rows;
        }
    }

    [Fact]
    public async Task Nobody_and_nothing_is_lost()
    {
        Assert.Equal(
            ["5|2|2|4"],
            await system.RowsAsync(
                "select (select count(*) from users), (select count(*) from models), (select count(*) from themes), (select count(*) from video_jobs)"
            )
        );
        Assert.Equal(["10"], await system.RowsAsync("select count(*) from quota_log where reason <> 'migration_correction'"));
        Assert.Equal(
            ["5|2|2|4|11"],
            await system.RowsAsync(
                "select (select count(*) from before_reelbase.users), (select count(*) from before_reelbase.models), (select count(*) from before_reelbase.themes), (select count(*) from before_reelbase.video_jobs), (select count(*) from before_reelbase.quota_log)"
            )
        );
        Assert.Equal(["90000000-0000-4000-8000-000000000001"], await system.RowsAsync($"select auth_user_id from users where id = '{Guest}'"));
    }

    [Fact]
    public async Task Every_ledger_adds_up_and_its_chain_is_exact() => Assert.Empty(await system.RowsAsync("select * from check_ledger()"));

    [Fact]
    public async Task Each_user_whose_log_does_not_add_up_gets_one_correction_and_a_line_in_the_report()
    {
        Assert.Equal(
            [$"{Twin}|6|2", $"{Member}|15|60", "10000000-0000-4000-8000-000000000005|10|10"],
            await system.RowsAsync("select user_id, change, balance_after from quota_log where reason = 'migration_correction' order by user_id")
        );
        Assert.Contains(
            system.Result.Report,
            line => line.Contains($"user {Member}: the balance was 60 and the log added up to 45; a correction of 15 was written", StringComparison.Ordinal)
        );
        Assert.Equal(3, system.Result.Report.Count(line => line.Contains("correction", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Premium_that_nothing_explains_stays_and_is_reported()
    {
        Assert.Equal(["premium|import"], await system.RowsAsync($"select tier, premium_granted_by from users where id = '{Member}'"));
        Assert.Contains(system.Result.Report, line => line.StartsWith($"user {Member} is premium and nothing says why", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Old_reasons_double_transactions_and_double_charges_are_distinguished() =>
        Assert.Equal(
            [
                "25|iap_purchase|2000000000000001|25||was: purchase",
                "25|iap_purchase|2000000000000001:duplicate:1|50||was: purchase",
                "-4|video_generation||46|40000000-0000-4000-8000-000000000002|was: generation",
                "-4|video_generation||42|40000000-0000-4000-8000-000000000003|was: generation",
                "-4|video_generation||38||was: generation; job: 40000000-0000-4000-8000-000000000003",
                "5|admin_refund||43||sorry for the wait",
                "2|admin_adjustment||45||was: goodwill; job: 4fffffff-0000-4000-8000-000000000003",
                "15|migration_correction||60||the log added up to 45",
            ],
            await system.RowsAsync($"select change, reason, transaction_id, balance_after, job_id, note from quota_log where user_id = '{Member}' order by seq")
        );

    [Fact]
    public async Task What_each_job_took_and_gave_back_is_filled_in_and_a_job_that_was_never_refunded_is_exempt_and_reported()
    {
        Assert.Equal(
            ["Charged twice|4|0|True", "Done|4|0|False", "Left hanging|4|0|False", "No status|4|0|False"],
            await system.RowsAsync("select prompt, credits_charged, credits_returned, is_credits_exempt from video_jobs order by prompt")
        );
        Assert.Contains(
            system.Result.Report,
            line => line.Contains("40000000-0000-4000-8000-000000000003 failed and its 4 credits were never given back", StringComparison.Ordinal)
        );
        // The cleanup and the nightly check do not stumble over it.
        await TestCluster.ExecuteAsync(
            system.Owner,
            "begin; select internal.erase_video_job('40000000-0000-4000-8000-000000000003'); select * from check_books(1000); rollback"
        );
    }

    [Fact]
    public async Task Jobs_of_an_earlier_release_that_were_refunded_twice_or_name_no_charge_do_not_stop_the_migration()
    {
        var owner = await TestCluster.CloneAsync();
        var migration = SchemaRelease.Current.Files.Single(file => file.Name.EndsWith("0013_fill_in_credits_of_jobs.sql", StringComparison.Ordinal));
        // Rows as the earlier release left them: nothing filled in, one refunded by support and by failing, two with an imported ledger.
        await TestCluster.ExecuteAsync(
            owner,
            """
            set session_replication_role = replica;
            insert into users (id) values ('11000000-0000-4000-8000-000000000001');
            insert into video_jobs (job_id, user_id, prompt, status, stage, credits_used, completed_at, created_at)
            select v.id::uuid, '11000000-0000-4000-8000-000000000001', v.prompt, v.status, case when v.status = 'processing' then 'ambiguous' else 'finished' end, 8,
              case when v.status <> 'processing' then now() end, now() - interval '1 hour'
            from (values ('41000000-0000-4000-8000-000000000001', 'twice', 'failed'), ('41000000-0000-4000-8000-000000000002', 'no charge named', 'processing'),
              ('41000000-0000-4000-8000-000000000003', 'refund in the log', 'processing'), ('41000000-0000-4000-8000-000000000004', 'well', 'failed')) v (id, prompt, status);
            insert into quota_log (user_id, job_id, change, reason, balance_after, imported_at)
            select '11000000-0000-4000-8000-000000000001', v.job::uuid, v.change, v.reason, 100, case when v.imported then now() end
            from (values ('41000000-0000-4000-8000-000000000001', -8, 'video_generation', false), ('41000000-0000-4000-8000-000000000001', 8, 'admin_refund', false),
              ('41000000-0000-4000-8000-000000000001', 8, 'generation_failed_refund', false), (null, -8, 'video_generation', true),
              ('41000000-0000-4000-8000-000000000003', 3, 'generation_failed_refund', true), ('41000000-0000-4000-8000-000000000004', -8, 'video_generation', false),
              ('41000000-0000-4000-8000-000000000004', 8, 'generation_failed_refund', false)) v (job, change, reason, imported)
            """
        );
        await TestCluster.ExecuteAsync(owner, migration.Text);
        await using var connection = new NpgsqlConnection(owner);
        await connection.OpenAsync();
        async Task<string> TextAsync(string sql) => (string)(await new NpgsqlCommand(sql, connection).ExecuteScalarAsync())!;
        Assert.Equal(
            "no charge named 8 0 t, refund in the log 8 3 t, twice 8 8 t, well 8 8 f",
            await TextAsync(
                "select string_agg(concat_ws(' ', prompt, credits_charged, credits_returned, is_credits_exempt), ', ' order by prompt) from video_jobs"
            )
        );
        Assert.Contains(
            "took 8 credits and gave 16 back",
            await TextAsync("select string_agg(line, ' ') from reelbase.migration_report"),
            StringComparison.Ordinal
        );
        // They end, each with what is right for it: all of its charge, and nothing on top of a refund that is there.
        await TestCluster.ExecuteAsync(
            owner,
            """
            alter table users disable trigger all; update users set credits_remaining = 100 where id = '11000000-0000-4000-8000-000000000001';
            select fail_video_job('41000000-0000-4000-8000-000000000002', null, 'ERR_5001', 'm'), fail_video_job('41000000-0000-4000-8000-000000000003', null, 'ERR_5001', 'm')
            """
        );
        Assert.Equal(
            "no charge named failed 8, refund in the log failed 3",
            await TextAsync(
                "select string_agg(concat_ws(' ', prompt, status, credits_returned), ', ' order by prompt) from video_jobs where prompt in ('no charge named', 'refund in the log')"
            )
        );
    }

    [Fact]
    public async Task Missing_values_are_filled_in_and_times_are_read_as_utc()
    {
        Assert.Equal(
            ["False"],
            await system.RowsAsync(
                "select exists (select from users where tier is null or credits_remaining is null or language is null or created_at is null)"
            )
        );
        Assert.Equal(
            ["2025-03-01 10:00:00.123456|premium|es|False|60|57"],
            await system.RowsAsync(
                $"select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), tier, language, is_guest, credits_total, (select sum(change) from quota_log where user_id = users.id and change > 0 and reason <> 'migration_correction') from users where id = '{Member}'"
            )
        );
        Assert.Equal(
            ["True|0|system"],
            await system.RowsAsync("select is_guest, credits_remaining, theme_preference from users where id = '10000000-0000-4000-8000-000000000004'")
        );
        Assert.Equal(
            ["Second active|video|1|False|", "Sora 2|text_to_video|4|True|"],
            await system.RowsAsync("select name, category, cost_per_generation, is_active, thumbnail_url from models order by name")
        );
        Assert.Equal(["""{"duration": 4}"""], await system.RowsAsync("select default_settings from themes where name = 'Nulls inside'"));
    }

    [Fact]
    public async Task Of_two_users_with_one_device_the_richer_keeps_it()
    {
        Assert.Equal(
            [$"{Guest}|7d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a11", $"{Twin}|7d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a11:duplicate:1"],
            await system.RowsAsync("select id, device_id from users where device_id like '7d3c%' order by id")
        );
        Assert.Contains(system.Result.Report, line => line.Contains(Twin, StringComparison.Ordinal) && line.Contains("duplicate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Other_tables_point_at_the_new_ones_and_old_functions_are_out_of_the_way()
    {
        Assert.Equal(
            ["users"],
            await system.RowsAsync("select confrelid::regclass::text from pg_constraint where conrelid = 'favorites'::regclass and contype = 'f'")
        );
        Assert.Equal(
            ["before_reelbase|boolean", "public|jsonb"],
            await system.RowsAsync(
                "select pronamespace::regnamespace::text, prorettype::regtype::text from pg_proc where proname = 'deduct_credits' order by 1"
            )
        );
    }

    [Fact]
    public async Task A_second_migration_has_nothing_to_do() =>
        Assert.Empty((await new Migrator(system.Owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None)).Files);

    [Fact]
    public async Task The_schema_is_that_of_a_fresh_database_but_for_the_columns_carried_along()
    {
        var upgraded = await SchemaText.DescribeAsync(system.Owner);
        var fresh = await SchemaText.DescribeAsync(await TestCluster.CloneAsync());
        Assert.Equal(fresh, upgraded.Replace("| auth_user_id | uuid | yes |  |\n", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_product_runs_on_it_and_what_was_left_hanging_is_refunded()
    {
        var own = new Older();
        await own.InitializeAsync();
        await using var running = new Running(own.Owner);
        await running.InitializeAsync();
        var phone = await Phone.OnboardAsync(running.Url, "7D3C0C9E-6A53-4F0E-9A8E-2F1F0B7C1A11");
        Assert.Equal(Guest, phone.UserId.ToString());
        var history = await phone.GetAsync("/get-video-jobs");
        Assert.Equal("https://old.example/v.mp4", history["jobs"][0].GetProperty("video_url").GetString());
        Assert.Equal(6, await phone.CreditsAsync());
        await Eventually.IsAsync(() => own.RowsAsync("select status from video_jobs where prompt = 'Left hanging'"), rows => rows is ["failed"]);
        Assert.Equal(["64"], await own.RowsAsync($"select credits_remaining from users where id = '{Member}'"));
        await running.ExecuteAsync("update models set provider_model_id = 'fal-ai/veo3.1/fast' where name = 'Sora 2'");
        var made = await phone.PostAsync("/generate-video", new { theme_id = "30000000-0000-4000-8000-000000000001" }, Guid.NewGuid());
        Assert.Equal(HttpStatusCode.OK, made.Status);
        Assert.Equal("completed", (await phone.WatchAsync(made["job_id"].GetString()!))[^1].GetProperty("status").GetString());
        Assert.Empty(await own.RowsAsync("select * from check_ledger()"));
    }

    [Fact]
    public async Task Whoever_deletes_their_account_leaves_nothing_in_the_tables_set_aside_and_others_keep_theirs()
    {
        var own = new Older();
        await own.InitializeAsync();
        // Further tables of old: one that knows the user inside JSON only, one that knows a device only, and one below a job.
        await TestCluster.ExecuteAsync(
            own.Owner,
            $$$"""
            create table before_reelbase.webhook_deliveries (id serial primary key, payload jsonb);
            insert into before_reelbase.webhook_deliveries (payload) values ('{"job":{"user":"{{{Guest}}}"}}'), ('{"job":{"user":"{{{Member}}}"}}');
            create table before_reelbase.device_checks (device_id text primary key, risk integer);
            insert into before_reelbase.device_checks values ('7D3C0C9E-6A53-4F0E-9A8E-2F1F0B7C1A11', 1), ('stable-id-17', 2);
            create table before_reelbase.job_submissions (id serial primary key, job_id uuid references before_reelbase.video_jobs (job_id), request_id text);
            insert into before_reelbase.job_submissions (job_id, request_id)
            values ('40000000-0000-4000-8000-000000000001', 'request-1'), ('40000000-0000-4000-8000-000000000003', 'request-3');
            """
        );
        // What belongs to the migrating role is handed over at every migration that finds something new.
        var handover = SchemaRelease.Current.Files.Single(file => file.Name.EndsWith("older_rows.grant.sql", StringComparison.Ordinal));
        await TestCluster.ExecuteAsync(own.Owner, handover.Text);
        await using var running = new Running(own.Owner);
        await running.InitializeAsync();
        var phone = await Phone.OnboardAsync(running.Url, "7D3C0C9E-6A53-4F0E-9A8E-2F1F0B7C1A11");
        Assert.Equal(Guest, phone.UserId.ToString());
        var others = await own.RowsAsync($"select count(*) from before_reelbase.quota_log where user_id <> '{Guest}'");
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/delete-account", new { })).Status);
        string[] marks = [Guest, "90000000-0000-4000-8000-000000000001", "40000000-0000-4000-8000-000000000001", "request-1"];
        foreach (var table in await own.RowsAsync("select relname from pg_class where relnamespace = 'before_reelbase'::regnamespace and relkind = 'r'"))
        {
            foreach (var mark in marks)
            {
                Assert.Equal(
                    (table, mark, "0"),
                    (table, mark, (await own.RowsAsync($"select count(*) from before_reelbase.{table} t where t::text ilike '%{mark}%'"))[0])
                );
            }
        }
        Assert.Equal(["stable-id-17"], await own.RowsAsync("select device_id from before_reelbase.device_checks"));
        Assert.Equal(["request-3"], await own.RowsAsync("select request_id from before_reelbase.job_submissions"));
        Assert.Equal(others, await own.RowsAsync("select count(*) from before_reelbase.quota_log"));
        Assert.Equal(
            ["4|3|1"],
            await own.RowsAsync(
                "select (select count(*) from before_reelbase.users), (select count(*) from before_reelbase.video_jobs), (select count(*) from before_reelbase.webhook_deliveries)"
            )
        );
        Assert.Empty(await own.RowsAsync("select * from check_ledger()"));
    }

    private sealed class Running(string owner) : TestSystem
    {
        protected override Task<string> PrepareDatabaseAsync() => Task.FromResult(owner);
    }
}
