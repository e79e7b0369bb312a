using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>Bringing a database up to date.</summary>
public sealed class MigratorTests
{
    [Fact]
    public async Task A_dry_run_names_what_is_due_and_changes_nothing()
    {
        var owner = await TestCluster.EmptyAsync();
        var result = await Migrate(owner, isDryRun: true);
        Assert.Contains("database/migrations/0002_catalog_and_users.sql", result.Files);
        Assert.Equal("0", await OneAsync(owner, "select count(*) from pg_tables where schemaname in ('public', 'reelbase')"));
    }

    [Fact]
    public async Task A_second_run_has_nothing_to_do()
    {
        var owner = await TestCluster.EmptyAsync();
        Assert.NotEmpty((await Migrate(owner)).Files);
        Assert.Empty((await Migrate(owner)).Files);
    }

    [Fact]
    public async Task A_start_that_has_nothing_to_migrate_asks_a_handful_of_questions_and_takes_no_lock()
    {
        var owner = await TestCluster.CloneAsync();
        // Passwords belong to the cluster, so whoever ran last has set them; with this they are in step.
        await Migrate(owner);
        var database = new NpgsqlConnectionStringBuilder(owner).Database;
        var statements = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                var tags = activity.TagObjects.ToDictionary(tag => tag.Key, tag => tag.Value?.ToString() ?? "");
                if (tags.ContainsValue(database!) && (tags.GetValueOrDefault("db.query.text") ?? tags.GetValueOrDefault("db.statement")) is { } text)
                {
                    statements.Enqueue(text);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        Assert.Empty((await Migrate(owner)).Files);
        Assert.InRange(statements.Count, 1, 8);
        Assert.DoesNotContain(statements, text => text.Contains("advisory", StringComparison.Ordinal) || text.Contains("alter ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_once_only_file_that_has_changed_is_refused_and_named()
    {
        var owner = await TestCluster.CloneAsync();
        await TestCluster.ExecuteAsync(owner, "update reelbase.schema_files set hash = 'another' where name like '%0002%'");
        var error = await Assert.ThrowsAsync<MigrationException>(() => Migrate(owner));
        Assert.Contains("database/migrations/0002_catalog_and_users.sql was applied before and has changed since", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rerunnable_file_runs_again_when_its_content_has_changed()
    {
        var owner = await TestCluster.CloneAsync();
        await TestCluster.ExecuteAsync(
            owner,
            "update reelbase.schema_files set hash = 'another' where name like '%deduct_credits.function.sql'; drop function deduct_credits"
        );
        var files = (await Migrate(owner)).Files;
        // A function that was dropped lost its grants with it, so they are given again with every function.
        Assert.Equal(["deduct_credits.function.sql"], files.Where(file => !file.EndsWith(".grant.sql", StringComparison.Ordinal)));
        Assert.Contains("credits.grant.sql", files);
        Assert.Equal("1", await OneAsync(owner, "select count(*) from pg_proc where proname = 'deduct_credits'"));
    }

    [Fact]
    public async Task A_file_that_moved_to_another_folder_does_not_run_again()
    {
        var owner = await TestCluster.CloneAsync();
        // Releases before this one kept the folder in the name.
        await TestCluster.ExecuteAsync(owner, "update reelbase.schema_files set name = 'Features/Elsewhere/' || name where name not like '%/%'");
        Assert.Empty((await Migrate(owner)).Files);
    }

    [Fact]
    public async Task Of_two_names_of_a_file_the_one_that_was_applied_last_counts()
    {
        var owner = await TestCluster.CloneAsync();
        // A program that still keeps the folder in the name has put its own text in place since.
        await TestCluster.ExecuteAsync(
            owner,
            "insert into reelbase.schema_files (name, hash, level, applied_at) select 'Features/Credits/' || name, 'another', level, applied_at + interval '1 microsecond' from reelbase.schema_files where name = 'deduct_credits.function.sql'"
        );
        Assert.Contains("deduct_credits.function.sql", (await Migrate(owner)).Files);
        Assert.Empty((await Migrate(owner)).Files);
    }

    [Fact]
    public async Task A_failing_file_leaves_nothing_behind()
    {
        var owner = await TestCluster.EmptyAsync();
        // A table in the way that no adoption can turn into ours.
        await TestCluster.ExecuteAsync(owner, "create view models as select 1 as id");
        var error = await Assert.ThrowsAsync<MigrationException>(() => Migrate(owner));
        Assert.Contains("nothing was changed", error.Message, StringComparison.Ordinal);
        Assert.Equal("0", await OneAsync(owner, "select count(*) from pg_tables where schemaname in ('public', 'reelbase')"));
    }

    [Fact]
    public async Task Five_at_once_go_one_after_the_other()
    {
        var owner = await TestCluster.EmptyAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Migrate(owner)));
        Assert.Equal(1, results.Count(result => result.Files.Count > 0));
    }

    [Fact]
    public async Task An_encoding_that_cannot_hold_every_letter_is_refused_before_anything_is_done()
    {
        var owner = await TestCluster.EmptyAsync("encoding 'LATIN5' locale 'C' template template0");
        var error = await Assert.ThrowsAsync<MigrationException>(() => Migrate(owner));
        Assert.Contains("encoding LATIN5", error.Message, StringComparison.Ordinal);
        Assert.Contains("encoding 'UTF8'", error.Message, StringComparison.Ordinal);
        Assert.Equal("0", await OneAsync(owner, "select count(*) from pg_namespace where nspname = 'reelbase'"));
        await Assert.ThrowsAsync<MigrationException>(() => Migrate(owner, isDryRun: true));
    }

    [Fact]
    public async Task Every_function_body_is_valid()
    {
        // Functions are made without checking their bodies, as they may need each other; here they are all checked.
        var owner = await TestCluster.CloneAsync();
        Assert.Equal(
            "",
            await OneAsync(
                owner,
                """
                do $$
                declare
                  v_function record;
                begin
                  for v_function in select pg_get_functiondef(oid) as text from pg_proc where pronamespace in ('public'::regnamespace, 'internal'::regnamespace) loop
                    execute v_function.text;
                  end loop;
                end $$
                """
            )
        );
    }

    private static Task<MigrationResult> Migrate(string owner, bool isDryRun = false) =>
        new Migrator(owner, NullLogger.Instance).RunAsync(isDryRun, CancellationToken.None);

    private static async Task<string> OneAsync(string owner, string sql)
    {
        await using var connection = new Npgsql.NpgsqlConnection(owner + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new Npgsql.NpgsqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture) ?? "";
    }
}
