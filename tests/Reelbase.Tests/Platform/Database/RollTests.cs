using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>Releases one after the other on one database: nothing goes back, nothing waits long, nothing is done by half.</summary>
public sealed partial class RollTests
{
    private const string Seeded = "deduct_credits.function.sql";

    [Fact]
    public async Task An_older_program_changes_nothing_and_may_serve_beside_the_newer_one()
    {
        var owner = await TestCluster.CloneAsync();
        var newer = With(SchemaRelease.CurrentLevel + 1, Commented(Seeded, "newer"));
        await Migrate(owner, newer);
        var older = await Migrate(owner, SchemaRelease.Current);
        Assert.Contains($"schema level {newer.Level}", older.Older, StringComparison.Ordinal);
        Assert.Empty(older.Files);
        Assert.True(older.MayServe);
        Assert.Equal(
            newer.Files.Single(file => file.Name == Seeded).Hash,
            await OneAsync(owner, $"select hash from reelbase.schema_files where name = '{Seeded}'")
        );
        Assert.Equal("newer", await OneAsync(owner, "select obj_description('deduct_credits(uuid, integer, text)'::regprocedure)"));
        // The newer one has nothing to repair afterwards.
        Assert.Empty((await Migrate(owner, newer)).Files);
    }

    [Fact]
    public async Task A_program_that_the_database_no_longer_supports_must_not_serve()
    {
        var owner = await TestCluster.CloneAsync();
        await Migrate(owner, With(SchemaRelease.CurrentLevel + 2, Commented(Seeded, "much newer")) with { OldestLevel = SchemaRelease.CurrentLevel + 1 });
        Assert.False((await Migrate(owner, SchemaRelease.Current)).MayServe);
        var (code, output) = await ServerProcess.RunAsync("migrate", "--database", owner);
        Assert.Equal(Server.Cli.MigrateCommand.OlderProgram, code);
        Assert.Contains("this program is older, and nothing was changed", output, StringComparison.Ordinal);
        (code, output) = await ServerProcess.RunAsync(
            new Dictionary<string, string> { ["REELBASE__Database__ConnectionString"] = owner, ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" }
        );
        Assert.Equal(1, code);
        Assert.Contains("no longer supports", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_the_same_level_that_were_replaced_do_not_come_back_unless_asked_for()
    {
        var owner = await TestCluster.CloneAsync();
        await Migrate(owner, With(SchemaRelease.CurrentLevel, Commented(Seeded, "other")));
        var back = await Migrate(owner, SchemaRelease.Current);
        Assert.Contains("have been replaced since", back.Older, StringComparison.Ordinal);
        Assert.Equal("other", await OneAsync(owner, "select obj_description('deduct_credits(uuid, integer, text)'::regprocedure)"));
        Assert.Contains(Seeded, (await new Migrator(owner, NullLogger.Instance) { Reapply = true }.RunAsync(false, CancellationToken.None)).Files);
        Assert.NotEqual("other", await OneAsync(owner, "select obj_description('deduct_credits(uuid, integer, text)'::regprocedure)"));
    }

    [Fact]
    public async Task A_program_from_before_levels_is_refused_with_its_whole_transaction()
    {
        // Its journal is a table of hashes, written in the transaction that applies the files.
        var owner = await TestCluster.CloneAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            TestCluster.ExecuteAsync(
                owner,
                """
                begin;
                set local role reelbase_owner;
                comment on table models is 'an older word';
                insert into reelbase.schema_versions (name, hash) values ('Features/Any.function.sql', 'older')
                on conflict (name) do update set hash = excluded.hash, applied_at = now();
                commit;
                """
            )
        );
        Assert.Contains("the database belongs to a newer release", error.MessageText, StringComparison.Ordinal);
        Assert.Equal("", await OneAsync(owner, "select obj_description('models'::regclass)"));
    }

    [Fact]
    public async Task A_lock_that_is_held_makes_it_give_up_whole_and_name_the_holder()
    {
        var owner = await TestCluster.CloneAsync();
        await using var holder = new NpgsqlConnection(owner + ";Pooling=false;Application Name=somebody-holding");
        await holder.OpenAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new NpgsqlCommand("select count(*) from themes", holder).ExecuteScalarAsync();
        var release = With(
            SchemaRelease.CurrentLevel + 1,
            new SqlFile("database/migrations/9001_models.sql", "alter table models add column one integer;"),
            new SqlFile("database/migrations/9002_themes.sql", "alter table themes add column two integer;")
        );
        var migrator = new Migrator(owner, NullLogger.Instance)
        {
            Release = release,
            LockTimeoutMilliseconds = 400,
            MaxAttempts = 2,
            RetryMilliseconds = 10,
        };
        var error = await Assert.ThrowsAsync<MigrationException>(() => migrator.RunAsync(false, CancellationToken.None));
        Assert.Contains("9002_themes.sql failed and nothing was changed", error.Message, StringComparison.Ordinal);
        Assert.Contains($"pid {holder.ProcessID} (application_name somebody-holding, user ", error.Message, StringComparison.Ordinal);
        Assert.Equal(
            "0",
            await OneAsync(owner, "select count(*) from pg_attribute where attname in ('one', 'two') and attrelid in ('models'::regclass, 'themes'::regclass)")
        );
        await transaction.RollbackAsync();
        Assert.Equal(2, (await Migrate(owner, release)).Files.Count(file => file.StartsWith("database/migrations/900", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_migration_that_alters_a_submission_before_its_job_waits_with_neither_lock_and_lets_whoever_needs_both_go_first()
    {
        var owner = await TestCluster.CloneAsync();
        var release = With(
            SchemaRelease.CurrentLevel + 1,
            new SqlFile("database/migrations/9001_submissions.sql", "alter table job_submissions add column one integer;"),
            new SqlFile("database/migrations/9002_jobs.sql", "alter table video_jobs add column two integer;"),
            new SqlFile("database/migrations/9003_users.sql", "alter table users add column three integer;")
        );
        await using var worker = new NpgsqlConnection(owner + ";Pooling=false;Command Timeout=240");
        await worker.OpenAsync();
        await using var transaction = await worker.BeginTransactionAsync();
        // Whoever is called the deadlock, it is not this one.
        await RunAsync("set local deadlock_timeout = '10min'; update video_jobs set stage = stage where false");
        var migration = new Migrator(owner, NullLogger.Instance) { Release = release, LockTimeoutMilliseconds = Patience.Milliseconds }.RunAsync(
            false,
            CancellationToken.None
        );
        await Eventually.IsAsync(() => LocksAsync(owner, "video_jobs", isGranted: false), waiting => waiting == "1");
        Assert.Equal("0", await LocksAsync(owner, "job_submissions", isGranted: true));
        await RunAsync("update job_submissions set detail = detail where false; update users set language = language where false");
        await transaction.CommitAsync();
        Assert.Equal(3, (await migration).Files.Count(file => file.StartsWith("database/migrations/900", StringComparison.Ordinal)));

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, worker);
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public void Tables_are_taken_beforehand_where_files_alter_several_and_in_the_order_of_the_work()
    {
        Assert.Equal(
            ["users", "models", "video_jobs", "job_submissions"],
            TableLocks.Of([
                new(
                    "database/migrations/9001_a.sql",
                    "alter table job_submissions add column a integer; ALTER TABLE IF EXISTS public.models add column a integer;"
                ),
                new("Features/A.policy.sql", "create policy a_read on video_jobs for select using (true);"),
                new("Features/A.trigger.sql", "create trigger a before insert or update on users for each row execute function a();"),
            ])
        );
        // A new foreign key locks the table that it names.
        Assert.Equal(
            ["users", "installation"],
            TableLocks.Of([
                new("database/migrations/9001_a.sql", "create table a (id uuid references users (id)); alter table installation add column a integer;"),
            ])
        );
        Assert.Empty(
            TableLocks.Of([new("database/migrations/9001_a.sql", "alter table users add column a integer; alter table users_of_old add column b integer;")])
        );
        Assert.Empty(
            TableLocks.Of([
                new("database/migrations/9001_a.sql", "alter table users add column a integer;"),
                new("database/migrations/9001_a.concurrent.sql", "alter table video_jobs validate constraint a;"),
            ])
        );
    }

    [Fact]
    public async Task An_index_is_built_beside_the_traffic_and_one_that_broke_off_is_built_again()
    {
        var owner = await TestCluster.CloneAsync();
        await TestCluster.ExecuteAsync(
            owner,
            "create table things (id integer); grant all on things to reelbase_owner; alter table things owner to reelbase_owner; insert into things values (1), (1)"
        );
        var release = With(
            SchemaRelease.CurrentLevel + 1,
            new SqlFile("database/migrations/9001_column.sql", "alter table things add column two integer;"),
            new SqlFile(
                "database/migrations/9002_indexes.concurrent.sql",
                "-- First one; then the other.\ncreate index concurrently things_two_idx on things (two);\ncreate unique index concurrently things_id_key on things (id);\n"
            )
        );
        var error = await Assert.ThrowsAsync<MigrationException>(() => Migrate(owner, release));
        Assert.Contains("9002_indexes.concurrent.sql failed; everything before it is applied", error.Message, StringComparison.Ordinal);
        Assert.Equal("things_id_key false, things_two_idx true", await Indexes(owner));
        await TestCluster.ExecuteAsync(owner, "delete from things");
        // Somebody in a transaction of their own is not in the way of any number of nodes that start.
        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Migrate(owner, release)));
        Assert.All(results, result => Assert.Null(result.Older));
        Assert.Equal("things_id_key true, things_two_idx true", await Indexes(owner));
        Assert.Empty((await Migrate(owner, release)).Files);
    }

    [Fact]
    public async Task A_release_cannot_be_skipped_while_a_node_lives()
    {
        var owner = await TestCluster.CloneAsync();
        var later = With(SchemaRelease.CurrentLevel + 2, Commented(Seeded, "later")) with { OldestLevel = SchemaRelease.CurrentLevel + 1 };
        await TestCluster.ExecuteAsync(owner, "insert into nodes (name, version, roles, started_at) values ('one/1', '0.1.0', '{api}', now())");
        var error = await Assert.ThrowsAsync<MigrationException>(() => Migrate(owner, later));
        Assert.Contains("one/1 (version 0.1.0)", error.Message, StringComparison.Ordinal);
        await TestCluster.ExecuteAsync(owner, "update nodes set seen_at = now() - interval '3 minutes'");
        Assert.Contains(Seeded, (await Migrate(owner, later)).Files);
    }

    [Fact]
    [Trait("Check", "yes")]
    public async Task The_level_is_raised_with_the_first_file_that_differs_from_the_previous_release()
    {
        var previous = PreviousRelease.Recorded;
        const string server = "src/Reelbase.Server/";
        var files = (await previous.FilesAsync(".sql"))
            .Where(file => file.Key.StartsWith(server, StringComparison.Ordinal) || file.Key.StartsWith("database/", StringComparison.Ordinal))
            .Select(file => new SqlFile(file.Key.StartsWith(server, StringComparison.Ordinal) ? file.Key[server.Length..] : file.Key, file.Value));
        Assert.Equal(previous.Fingerprint, new SchemaRelease(previous.Level, previous.Level, [.. files]).Fingerprint);
        Assert.True(
            SchemaRelease.CurrentLevel > previous.Level || SchemaRelease.Current.Fingerprint == previous.Fingerprint,
            "A SQL file differs from the previous release's: raise SchemaRelease.CurrentLevel, and set PreviousLevel to that of database/previous-release.txt"
        );
        Assert.True(
            SchemaRelease.PreviousLevel == previous.Level || SchemaRelease.CurrentLevel == previous.Level,
            "SchemaRelease.PreviousLevel is not that of database/previous-release.txt"
        );
    }

    [Fact]
    [Trait("Check", "yes")]
    public async Task Migrations_of_the_previous_release_are_as_they_were()
    {
        foreach (
            var (path, text) in (await PreviousRelease.Recorded.FilesAsync(".sql")).Where(file =>
                file.Key.StartsWith("database/migrations/", StringComparison.Ordinal)
            )
        )
        {
            Assert.Equal(new SqlFile(path, text).Hash, SchemaRelease.Current.Files.Single(file => file.Name == path).Hash);
        }
    }

    [Fact]
    [Trait("Check", "yes")]
    public async Task What_the_previous_release_uses_is_taken_away_by_contract_files_only()
    {
        var before = (await PreviousRelease.Recorded.FilesAsync(".sql")).Keys.ToHashSet();
        Assert.Empty(
            from file in SchemaRelease.Current.Files
            where
                file.RunsOnce && !before.Contains(file.Name) && !file.Name.EndsWith(".contract.sql", StringComparison.Ordinal) && TakesAway().IsMatch(file.Text)
            select file.Name
        );
        Assert.Empty(
            from file in SchemaRelease.Current.Files
            where file.Text.Contains("index concurrently", StringComparison.OrdinalIgnoreCase) && !file.RunsOutsideTransaction
            select file.Name
        );
        // Two files of one number are two people who did not know of each other.
        Assert.Empty(
            SchemaRelease
                .Current.Files.Where(file => file.RunsOnce)
                .Select(file => Path.GetFileName(file.Name).Split('.')[0])
                .Distinct()
                .GroupBy(name => name[..4])
                .Where(group => group.Count() > 1)
                .Select(group => group.Key)
        );
    }

    private static SchemaRelease With(int level, params SqlFile[] files) =>
        new(
            level,
            SchemaRelease.CurrentLevel,
            SchemaRelease.Sort(SchemaRelease.Current.Files.Where(file => files.All(other => other.Name != file.Name)).Concat(files))
        );

    private static SqlFile Commented(string name, string comment) =>
        new(
            name,
            SchemaRelease.Current.Files.Single(file => file.Name == name).Text + $"\ncomment on function deduct_credits(uuid, integer, text) is '{comment}';\n"
        );

    private static Task<MigrationResult> Migrate(string owner, SchemaRelease release) =>
        new Migrator(owner, NullLogger.Instance) { Release = release }.RunAsync(dryRun: false, CancellationToken.None);

    /// <summary>How many locks a migration has, or waits for, on a table.</summary>
    private static Task<string> LocksAsync(string owner, string table, bool isGranted) =>
        OneAsync(
            owner,
            $"select count(*) from pg_locks l join pg_stat_activity a using (pid) where a.application_name = 'reelbase migrate' and a.datname = current_database() and l.relation = '{table}'::regclass and l.granted = {isGranted}"
        );

    private static Task<string> Indexes(string owner) =>
        OneAsync(
            owner,
            "select string_agg(indexrelid::regclass || ' ' || indisvalid::text, ', ' order by indexrelid::regclass::text) from pg_index where indrelid = 'things'::regclass"
        );

    private static async Task<string> OneAsync(string owner, string sql)
    {
        await using var connection = new NpgsqlConnection(owner + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture) ?? "";
    }

    // storage_key is a domain over text without a constraint: whoever reads or writes the column sees what they saw.
    [GeneratedRegex(
        @"\b(drop\s+(table|column|view|type|schema)|rename\s+(to|column)|alter\s+column\s+\w+\s+(set\s+not\s+null|type\s+(?!storage_key\b)))\b",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex TakesAway();
}
