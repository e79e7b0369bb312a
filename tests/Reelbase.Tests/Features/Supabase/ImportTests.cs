using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A former app moves in from its Supabase database, which is read and never written; whatever does not add up there is in the report.</summary>
public sealed class ImportTests(ImportTests.Moved moved) : IClassFixture<ImportTests.Moved>
{
    private const string Guest = "10000000-0000-4000-8000-000000000001";
    private const string Twin = "10000000-0000-4000-8000-000000000002";
    private const string Member = "10000000-0000-4000-8000-000000000003";

    /// <summary>One import of everything that can be wrong.</summary>
    public sealed class Moved : IAsyncLifetime
    {
        public SupabaseProject Source { get; private set; } = null!;
        public string Target { get; private set; } = "";
        public string Output { get; private set; } = "";
        public string DryOutput { get; private set; } = "";
        public string Before { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            Source = await SupabaseProject.CreateAsync(crowd: 300);
            Target = await TestCluster.CloneAsync();
            Before = await Source.ChecksumAsync();
            (var code, DryOutput) = await ImportAsync(Source.Url, Target, "--dry-run", "--all");
            Assert.True(code == 0, DryOutput);
            Assert.Equal(["0|0"], await RowsAsync("select (select count(*) from users), (select count(*) from imports)"));
            (code, Output) = await ImportAsync(Source.Url, Target, "--all");
            Assert.True(code == 0, Output);
        }

        public ValueTask DisposeAsync() => default;

        public Task<List<string>> RowsAsync(string sql) => SupabaseProject.RowsAsync(Target, sql);
    }

    internal static Task<(int Code, string Output)> ImportAsync(string source, string target, params string[] options) =>
        ServerProcess.RunAsync(["import", "supabase", "--from", source, "--database", ConnectionStrings.ToUrl(target), .. options]);

    [Theory]
    [InlineData(
        "price_converted: model 20000000-0000-4000-8000-000000000002 (Veo 3.1 Fast): base_price 0.1000 a second is 1 credits a second here, so 12 seconds cost 12 credits (cost_per_generation said 4)"
    )]
    [InlineData(
        "base_price 0.1250 a second is 2 credits a second here, so 12 seconds cost 24 credits (cost_per_generation said 4); credits are whole here, so the price was rounded up"
    )]
    [InlineData("model_shut_down: model 20000000-0000-4000-8000-000000000001 (Sora 2) was shut down by its vendor on 2026-09-24")]
    [InlineData(
        "active_model_shut_down: the only active model, Sora 2, was shut down by its vendor: requests with a theme go to the active model of this installation, Wan 3.0"
    )]
    [InlineData("model_not_offered: model 20000000-0000-4000-8000-000000000003 (Uneven) has no provider_model_id")]
    [InlineData(
        "ledger_corrected: user 10000000-0000-4000-8000-000000000003: the balance is 60 and the log adds up to 48; one row of the reason migration_correction gives the difference, 12"
    )]
    [InlineData("ledger_corrected: user 10000000-0000-4000-8000-000000000002: the balance is 2 and the log adds up to 0")]
    [InlineData("never_refunded: job 40000000-0000-4000-8000-000000000003 failed and its 4 credits were not given back")]
    [InlineData("refunded_twice: job 40000000-0000-4000-8000-000000000004 took 4 credits and gave 8 back")]
    [InlineData("under_way: 1 jobs are under way")]
    [InlineData("admin_flag: user 10000000-0000-4000-8000-000000000001 has is_admin there")]
    [InlineData("premium_dropped: user 10000000-0000-4000-8000-000000000001 is premium there without ever having bought anything")]
    [InlineData("premium_kept: user 10000000-0000-4000-8000-000000000003")]
    [InlineData("duplicate_identity: user 10000000-0000-4000-8000-000000000002: another user has the same device id")]
    [InlineData("apple_subject_differs: user 10000000-0000-4000-8000-000000000003")]
    [InlineData("duplicate_transaction: ledger row 50000000-0000-4000-8000-000000000004")]
    [InlineData("reason_changed: 1 ledger rows have the reason 'goodwill'")]
    [InlineData("not_carried: jobs: 1 belong to no user")]
    [InlineData("not_carried: ledger rows: 1 belong to no user")]
    [InlineData("not_carried: ledger rows: 1 change nothing")]
    [InlineData("not_carried: users.favourite_colour: 1 values are not carried over")]
    [InlineData("not_carried: table public.favorites: 1 rows are not carried over")]
    [InlineData("not_carried: auth.users: 1 accounts have no user of the app")]
    [InlineData("no_moment: users: 1 rows have a time that is no moment")]
    [InlineData("files_elsewhere: 1 videos or thumbnails lie at v3.fal.media")]
    [InlineData("cron_job: pg_cron job 'cleanup-old-videos' (0 3 * * *) goes on there")]
    [InlineData("sessions: 302 refresh tokens of the former project are carried over as hashes")]
    public void The_report_says_with_and_without_writing(string line)
    {
        Assert.Contains(line, moved.Output, StringComparison.Ordinal);
        Assert.Contains(line, moved.DryOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sources_address_is_read_from_a_file_or_a_variable_and_a_password_among_the_arguments_is_warned_of()
    {
        const string warning = "the password in --from can be read by everybody on this machine";
        string[] words = ["--database", ConnectionStrings.ToUrl(moved.Target), "--dry-run"];
        var file = Path.Combine(TestCluster.Home, "source-" + Guid.NewGuid().ToString("N")[..8]);
        await File.WriteAllTextAsync(file, moved.Source.Url + "\nanother line\n");
        var (code, output) = await ServerProcess.RunAsync(["import", "supabase", "--from-file", file, .. words]);
        Assert.True(code == 0, output);
        Assert.Contains("Nothing was written.", output, StringComparison.Ordinal);
        Assert.DoesNotContain(warning, output, StringComparison.Ordinal);
        (code, output) = await ServerProcess.RunAsync(new() { ["SUPABASE_DB_URL"] = moved.Source.Url }, ["import", "supabase", .. words]);
        Assert.True(code == 0, output);
        Assert.DoesNotContain(warning, output, StringComparison.Ordinal);
        // Nobody listens there, so that it ends after the warning.
        (code, output) = await ServerProcess.RunAsync(["import", "supabase", "--from", "postgres://postgres:hunter2-secret@127.0.0.1:1/x", .. words]);
        Assert.Equal(1, code);
        Assert.Contains(warning, output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2-secret", output, StringComparison.Ordinal);
        (code, output) = await ServerProcess.RunAsync(["import", "supabase", "--from", "postgres://postgres@127.0.0.1:1/x", "--from-file", file, .. words]);
        Assert.Equal((2, true), (code, output.Contains("give one of them", StringComparison.Ordinal)));
        Assert.Equal(2, (await ServerProcess.RunAsync(["import", "supabase", .. words])).Code);
    }

    [Theory]
    [InlineData("postgres://postgres:hunter2-secret@127.0.0.1:1/x", true)]
    [InlineData("Host=127.0.0.1;Port=1;Username=postgres;Password=hunter2-secret;Database=x", true)]
    [InlineData("postgres://postgres@127.0.0.1:1/x", false)]
    public async Task A_password_in_the_targets_address_among_the_arguments_is_warned_of_and_the_other_way_is_named(string address, bool isWarned)
    {
        const string warning = "the password in --database can be read by everybody on this machine";
        // Nobody listens there, so that each ends after the warning.
        foreach (var verb in new[] { new[] { "import", "supabase" }, ["migrate"], ["version"] })
        {
            Dictionary<string, string> environment = new() { ["SUPABASE_DB_URL"] = "postgres://postgres@127.0.0.1:1/x" };
            var (_, output) = await ServerProcess.RunAsync(environment, [.. verb, "--database", address]);
            Assert.Equal(isWarned, output.Contains(warning, StringComparison.Ordinal));
            Assert.Equal(isWarned, output.Contains("the variable REELBASE__Database__ConnectionString", StringComparison.Ordinal));
            Assert.DoesNotContain("hunter2-secret", output, StringComparison.Ordinal);
        }
        var (_, silent) = await ServerProcess.RunAsync(
            new Dictionary<string, string> { ["SUPABASE_DB_URL"] = "postgres://postgres@127.0.0.1:1/x", ["REELBASE__Database__ConnectionString"] = address },
            "import",
            "supabase"
        );
        Assert.DoesNotContain(warning, silent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_source_is_as_it_was() => Assert.Equal(moved.Before, await moved.Source.ChecksumAsync());

    [Fact]
    public async Task Everybodys_ledger_adds_up_and_what_it_lacked_is_one_row_of_its_own_reason()
    {
        Assert.Empty(await moved.RowsAsync("select * from check_ledger()"));
        Assert.Equal(
            [$"{Member}|12|60|the log added up to 48"],
            await moved.RowsAsync($"select user_id, change, balance_after, note from quota_log where reason = 'migration_correction' and user_id = '{Member}'")
        );
        Assert.Equal(["303|303"], await moved.RowsAsync("select count(*), count(distinct id) from users"));
        Assert.Equal(["1"], await moved.RowsAsync("select count(*) from quota_log where transaction_id = '2000000000000001:duplicate:1'"));
    }

    [Fact]
    public async Task Nobody_is_an_admin_and_premium_is_only_who_has_bought_something() =>
        Assert.Equal(
            [$"{Guest}|False|free|", $"{Twin}|False|free|", $"{Member}|False|premium|import"],
            await moved.RowsAsync("select id, is_admin, tier, premium_granted_by from users where id::text like '10000000%' order by id")
        );

    [Fact]
    public async Task Device_ids_are_hashes_and_the_verified_apple_subject_counts()
    {
        Assert.Equal(["0"], await moved.RowsAsync("select count(*) from users where device_id !~ '^sha256:[0-9a-f]{64}$'"));
        Assert.Equal([Guest], await moved.RowsAsync("select id from users where device_id = internal.device_id_hash('7D3C0C9E-6A53-4F0E-9A8E-2F1F0B7C1A11')"));
        Assert.Equal(["apple-verified"], await moved.RowsAsync($"select apple_sub from users where id = '{Member}'"));
    }

    [Fact]
    public async Task Twelve_seconds_cost_twelve_credits_as_they_did_before() =>
        Assert.Equal(
            ["12"],
            await moved.RowsAsync(
                """
                select internal.price_generation(cost_per_generation, pricing_type, credits_per_second, required_fields, internal.resolve_settings(required_fields, '{}', '{"duration":12}'))
                from models where id = '20000000-0000-4000-8000-000000000002'
                """
            )
        );

    [Fact]
    public async Task Jobs_keep_the_rule_of_credits_or_are_exempt_and_a_running_one_waits_for_its_end() =>
        Assert.Equal(
            [
                "Done|completed|4|0|False",
                "Gone|completed|0|0|False",
                "Left hanging|processing|4|0|False",
                "Never refunded|failed|4|0|True",
                "Refunded twice|failed|4|4|False",
            ],
            await moved.RowsAsync(
                "select prompt, status, credits_charged, credits_returned, is_credits_exempt from video_jobs where job_id::text like '40000000%' order by prompt"
            )
        );

    [Fact]
    public async Task Sessions_are_carried_as_hashes_of_tokens_that_counted_and_their_predecessors() =>
        Assert.Equal(
            [$"tok-before|{Guest}|91000000-0000-4000-8000-000000000001", $"tok-now|{Guest}|91000000-0000-4000-8000-000000000001"],
            await moved.RowsAsync(
                "select t, f.user_id, family from former_refresh_tokens f, unnest(array['tok-old', 'tok-before', 'tok-now']) t where f.token_hash = sha256(convert_to(t, 'UTF8')) order by t"
            )
        );

    [Fact]
    public async Task Started_again_it_changes_nothing()
    {
        var before = await StateAsync(moved.Target);
        var (code, output) = await ImportAsync(moved.Source.Url, moved.Target);
        Assert.True(code == 0, output);
        Assert.Equal(before, await StateAsync(moved.Target));
    }

    [Fact]
    public async Task An_installation_with_users_of_its_own_and_another_source_are_refused()
    {
        var own = await TestCluster.CloneAsync();
        await TestCluster.ExecuteAsync(own, "insert into users (is_guest) values (true)");
        var (code, output) = await ImportAsync(moved.Source.Url, own);
        Assert.Equal((3, true), (code, output.Contains("has users already", StringComparison.Ordinal)));
        var other = await SupabaseProject.CreateAsync();
        (code, output) = await ImportAsync(other.Url, moved.Target);
        Assert.Equal((3, true), (code, output.Contains("from another database", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Whatever_is_wrong_with_the_source_is_one_clear_line()
    {
        var bare = await TestCluster.EmptyAsync();
        var target = await TestCluster.CloneAsync();
        await FailsAsync(bare, "has no table public.users");
        await TestCluster.ExecuteAsync(
            bare,
            "create table users (id uuid, credits_remaining integer); create table models (id uuid, name text); create table video_jobs (job_id uuid, user_id uuid, prompt text, status text); create table quota_log (id uuid, user_id uuid, change integer)"
        );
        await FailsAsync(bare, "table public.quota_log has no column reason");
        await FailsAsync("Host=127.0.0.1;Port=1;Username=postgres;Database=x", "the source cannot be reached");
        var (code, output) = await ServerProcess.RunAsync(
            "import",
            "supabase",
            "--from",
            "https://project.supabase.co",
            "--database",
            ConnectionStrings.ToUrl(target)
        );
        Assert.Equal((1, true), (code, output.Contains("postgres://user:password@host:port/database", StringComparison.Ordinal)));
        var role = $"reader_{Guid.NewGuid():N}"[..20];
        await TestCluster.ExecuteAsync(
            bare,
            $"alter table quota_log add reason text; create role {role} login password 'reader'; grant select on users, models, video_jobs to {role}"
        );
        await FailsAsync(
            new Npgsql.NpgsqlConnectionStringBuilder(bare) { Username = role, Password = "reader" }.ConnectionString,
            "does not let us read public.quota_log"
        );
        // Row security that would hide rows is an error and never fewer rows.
        await TestCluster.ExecuteAsync(bare, $"grant select on quota_log to {role}; alter table users enable row level security");
        await FailsAsync(new Npgsql.NpgsqlConnectionStringBuilder(bare) { Username = role, Password = "reader" }.ConnectionString, "row-level security");
        Assert.Equal(2, (await ServerProcess.RunAsync("import", "supabase")).Code);
        Assert.Contains("Exit codes:", (await ServerProcess.RunAsync("import", "--help")).Output, StringComparison.Ordinal);

        async Task FailsAsync(string source, string line)
        {
            var (failed, text) = await ImportAsync(ConnectionStrings.ToUrl(source), target);
            Assert.Equal(1, failed);
            Assert.Contains(line, text, StringComparison.Ordinal);
            Assert.Single(text.Split('\n', StringSplitOptions.RemoveEmptyEntries), said => said.StartsWith("import:", StringComparison.Ordinal));
            Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("compare: users: 303 to carry, 303 here")]
    [InlineData("compare: jobs: 305 to carry of 306 in the source, 305 here")]
    [InlineData("compare: ledger rows: 710 to carry of 712 in the source, 710 here")]
    [InlineData("compare: refresh tokens: 302 to carry, 302 here")]
    [InlineData("compare: consents: 1 to carry, 1 here")]
    [InlineData("compare: models: 3 to carry, 3 here")]
    [InlineData("compare: ledgers here that do not add up: 0 to carry, 0 here")]
    [InlineData("Everything adds up.")]
    public void At_the_end_both_sides_are_compared(string line) => Assert.Contains(line, moved.Output, StringComparison.Ordinal);

    [Fact]
    public async Task Sums_of_credits_of_both_sides_are_the_same_and_said()
    {
        var balances = (await SupabaseProject.RowsAsync(moved.Source.Database, "select sum(credits_remaining) from users"))[0];
        Assert.Contains($"compare: balances, credits: {balances} to carry, {balances} here", moved.Output, StringComparison.Ordinal);
        Assert.Equal([balances], await moved.RowsAsync("select sum(credits_remaining) from users"));
    }

    [Fact]
    public async Task What_does_not_add_up_at_the_end_is_said_and_the_exit_code_is_not_zero()
    {
        var source = await SupabaseProject.CreateAsync();
        var target = await TestCluster.CloneAsync();
        var (code, output) = await ImportAsync(source.Url, target);
        Assert.True(code == 0, output);
        await TestCluster.ExecuteAsync(
            target,
            "set session_replication_role = replica; delete from video_jobs where job_id = '40000000-0000-4000-8000-000000000001'"
        );
        (code, output) = await ImportAsync(source.Url, target);
        Assert.Equal(4, code);
        Assert.Contains(
            $"compare: jobs: 5 to carry of 6 in the source, 4 here; DIFFERENT for 1, first user {Guest}: 1 there and 0 here",
            output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("source_changed", output, StringComparison.Ordinal);
    }

    /// <summary>The first start ends in the middle; then the former app goes on, in every way that would meet what is here already.</summary>
    [Fact]
    public async Task A_source_that_changed_between_two_starts_is_noticed_and_every_ledger_still_adds_up()
    {
        var source = await SupabaseProject.CreateAsync(crowd: 2_200);
        var target = await TestCluster.CloneAsync();
        await TestCluster.ExecuteAsync(
            target,
            """
            create function stop_here() returns trigger language plpgsql as $$ begin raise exception 'stopped by the test'; end $$;
            create trigger stop_here before insert on users for each row when (new.id > 'a0000000-0000-0000-0000-000000000000') execute function stop_here();
            """
        );
        var (code, output) = await ImportAsync(source.Url, target);
        Assert.Equal((1, true), (code, output.Contains("stopped by the test", StringComparison.Ordinal)));
        Assert.NotEqual(["0"], await SupabaseProject.RowsAsync(target, "select count(*) from users"));
        await TestCluster.ExecuteAsync(target, "drop trigger stop_here on users");
        await TestCluster.ExecuteAsync(
            source.Database,
            $"""
            -- Somebody who is here already spends; a new user comes before the place reached; one who is still to come has the device of one who is here and more credits,
            -- the transaction of one who is here at an earlier time, and a ledger row that was another's.
            update users set credits_remaining = 1 where id = '{Guest}';
            insert into users (id, device_id, credits_remaining) values ('00000000-0000-4000-8000-000000000001', 'new-one', 3);
            insert into quota_log (user_id, change, reason) values ('00000000-0000-4000-8000-000000000001', 3, 'initial_grant');
            insert into users (id, device_id, credits_remaining) values ('fffffff0-0000-4000-8000-000000000001', '7D3C0C9E-6A53-4F0E-9A8E-2F1F0B7C1A11', 99);
            insert into quota_log (user_id, change, reason, transaction_id, created_at) values ('fffffff0-0000-4000-8000-000000000001', 25, 'purchase', '2000000000000001', '2025-01-01');
            update quota_log set user_id = 'fffffff0-0000-4000-8000-000000000001' where id = '50000000-0000-4000-8000-00000000000a';
            """
        );
        (code, output) = await ImportAsync(source.Url, target);
        Assert.Equal((4, output), (code, output));
        Assert.Contains("source_changed: public.users: 2203 rows (fingerprint ", output, StringComparison.Ordinal);
        Assert.Contains(") at the last start and 2205 (", output, StringComparison.Ordinal);
        Assert.Contains($"compare: balances, credits: ", output, StringComparison.Ordinal);
        Assert.Contains($"DIFFERENT for 1, first user {Guest}: 1 there and 6 here", output, StringComparison.Ordinal);
        Assert.Empty(await SupabaseProject.RowsAsync(target, "select * from check_ledger()"));
        Assert.Equal(
            ["2205|3"],
            await SupabaseProject.RowsAsync(
                target,
                "select count(*), sum(credits_remaining) filter (where id = '00000000-0000-4000-8000-000000000001') from users"
            )
        );
        Assert.Equal(
            [Guest],
            await SupabaseProject.RowsAsync(target, "select id from users where device_id = internal.device_id_hash('7D3C0C9E-6A53-4F0E-9A8E-2F1F0B7C1A11')")
        );
        // The third start finds the source as the second left it.
        (code, output) = await ImportAsync(source.Url, target);
        Assert.Equal((4, false), (code, output.Contains("source_changed", StringComparison.Ordinal)));
    }

    /// <summary>What an import has made, without what depends on when it did.</summary>
    internal static async Task<string> StateAsync(string target)
    {
        string[] questions =
        [
            "select 'users', count(*), sum(hashtextextended(concat_ws('|', id, email, device_id, apple_sub, is_guest, tier, premium_granted_by, credits_remaining, credits_total, initial_grant_claimed, language, theme_preference), 0)::numeric) from users",
            "select 'jobs', count(*), sum(hashtextextended(concat_ws('|', job_id, user_id, model_id, model_name, prompt, status, stage, video_url, thumbnail_url, credits_used, credits_charged, credits_returned, is_credits_exempt, created_at), 0)::numeric) from video_jobs",
            "select 'ledger', count(*), sum(hashtextextended(concat_ws('|', case when reason <> 'migration_correction' then id end, user_id, job_id, change, reason, transaction_id, balance_after, note), 0)::numeric) from quota_log",
            "select 'tokens', count(*), sum(hashtextextended(concat_ws('|', token_hash, user_id, family), 0)::numeric) from former_refresh_tokens",
            "select 'consents', count(*), sum(hashtextextended(concat_ws('|', user_id, kind, version), 0)::numeric) from user_consents",
            "select 'catalogue', count(*), sum(hashtextextended(concat_ws('|', id, name, is_active, pricing_type, cost_per_generation, credits_per_second), 0)::numeric) from models",
            "select 'files', count(*), sum(hashtextextended(concat_ws('|', bucket, name, role, user_id, job_id, state), 0)::numeric) from import_files",
            "select 'report', count(*), sum(hashtextextended(code || line, 0)::numeric) from import_findings",
        ];
        var state = new List<string>();
        foreach (var question in questions)
        {
            state.AddRange(await SupabaseProject.RowsAsync(target, question));
        }
        return string.Join('\n', state);
    }
}
