using System.Text.Json;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>A backup that is taken while users press and buy, restored into an empty cluster at a chosen moment, and what becomes of all that came after it.</summary>
public sealed class BackupTests
{
    private const int Users = 8;
    private static readonly string Home = Path.Combine(TestCluster.Home, "backup-" + Guid.NewGuid().ToString("N")[..8]);

    /// <summary>The product on a private PostgreSQL of its own, with an archive; later on the restored one.</summary>
    private sealed class OnCluster(PrivateCluster cluster, IReadOnlyList<string> simulators) : TestSystem
    {
        protected override IReadOnlyList<string> MoreSimulatorArguments => simulators;

        // Waited for: of what the restored database forgot nothing is heard.
        protected override Dictionary<string, string?> Settings => new() { ["Generation:SubmissionDeadlineSeconds"] = "30" };

        protected override async Task<string> PrepareDatabaseAsync()
        {
            await new Migrator(cluster.ConnectionString, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance).RunAsync(false, CancellationToken.None);
            return cluster.ConnectionString;
        }

        /// <summary>A server on another database, with the same outside world.</summary>
        public async Task<Microsoft.AspNetCore.Builder.WebApplication> OnAsync(PrivateCluster other)
        {
            var stopped = await StopServerAsync();
            UseDatabase(other.ConnectionString);
            await stopped.EndAsync();
            return Server;
        }
    }

    [Fact]
    public async Task A_backup_under_load_is_restored_at_a_moment_and_everybodys_ledger_adds_up()
    {
        var archive = Path.Combine(Home, "wal");
        await PrivateCluster.PrepareDirectoryAsync(archive, CancellationToken.None);
        var settings = PrivateCluster.ArchiveSettings(archive, 1);
        var cluster = await PrivateCluster.StartAsync(Path.Combine(Home, "first"), null, settings, CancellationToken.None);
        var system = new OnCluster(cluster, []);
        PrivateCluster? restored = null;
        try
        {
            await system.InitializeAsync();
            var apple = new Apple(system.Control);
            var phones = await Task.WhenAll(Enumerable.Range(0, Users).Select(_ => system.NewGuestAsync(10_000)));
            using var enough = new CancellationTokenSource();
            var load = phones.Select(phone => PressAsync(phone, apple, enough.Token)).ToList();

            await WaitForRowsAsync(system, 40);
            var backup = await cluster.BackUpAsync(Path.Combine(Home, "backups"), CancellationToken.None);
            var rowsAtBackup = await system.QueryAsync<long>("select count(*) from quota_log");
            await WaitForRowsAsync(system, rowsAtBackup + 40);
            var rowsBefore = await system.QueryAsync<long>("select count(*) from quota_log");
            var moment = await system.QueryAsync<DateTime>("select clock_timestamp()");
            var rowsAtMoment = await system.QueryAsync<long>("select count(*) from quota_log");
            await WaitForRowsAsync(system, rowsAtMoment + 20);
            await enough.CancelAsync();
            await Task.WhenAll(load);

            // Bought after that moment, and known to nobody but Apple.
            var (late, _) = await apple.BuyAsync(Apple.Pack150, phones[0].UserId, notify: true);
            await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from quota_log where transaction_id = '{late}'"), rows => rows == 1);
            await system.ExecuteAsync("select pg_switch_wal()");
            await Eventually.IsAsync(
                () =>
                    system.QueryAsync<bool>(
                        "select last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) or last_archived_time > now() - interval '1 second' from pg_stat_archiver"
                    ),
                isArchived => isArchived
            );

            restored = await PrivateCluster.RestoreAsync(
                backup,
                archive,
                moment,
                Path.Combine(Home, "second"),
                null,
                new Dictionary<string, string>(),
                CancellationToken.None
            );
            Assert.Empty(await RowsAsync(restored, "select user_id::text from check_ledger()"));
            var rows = long.Parse((await RowsAsync(restored, "select count(*)::text from quota_log"))[0], System.Globalization.CultureInfo.InvariantCulture);
            // Everything up to the moment and nothing after it; a few were being committed while it was read.
            Assert.InRange(rows, rowsBefore - Users, rowsAtMoment + Users);
            Assert.Equal(["0"], await RowsAsync(restored, $"select count(*)::text from quota_log where created_at > '{moment:yyyy-MM-dd HH:mm:ss.ffffff}Z'"));
            Assert.Equal(["0"], await RowsAsync(restored, $"select count(*)::text from quota_log where transaction_id = '{late}'"));

            // The same world goes on with the restored database: Apple's books give back what was bought since, and no charge is left alone.
            await system.OnAsync(restored);
            await system.ExecuteAsync("select request_reconciliation()");
            await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from quota_log where transaction_id = '{late}'"), found => found == 1);
            await system.ExecuteAsync("update video_jobs set run_after = now(), lease_until = null, leased_by = null where stage <> 'finished'");
            await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from video_jobs where stage <> 'finished'"), open => open == 0, 120);
            Assert.Equal(
                0L,
                await system.QueryAsync<long>(
                    """
                    select count(*) from video_jobs j where
                      (select count(*) from quota_log q where q.job_id = j.job_id and reason = 'video_generation') <> 1
                      or (select count(*) from quota_log q where q.job_id = j.job_id and reason = 'generation_failed_refund') <> (j.status = 'failed')::int
                    """
                )
            );
            await system.AssertLedgerAsync();
            // A phone of before goes on, and presses again.
            Assert.Equal("completed", (await phones[1].GenerateAndWatchAsync("After the restore")).GetProperty("status").GetString());
            // Nothing is ever restored over something.
            var error = await Assert.ThrowsAsync<PrivateClusterException>(() =>
                PrivateCluster.RestoreAsync(backup, null, null, Path.Combine(Home, "second"), null, new Dictionary<string, string>(), CancellationToken.None)
            );
            Assert.Contains("never overwrites", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            await system.DisposeAsync();
            NpgsqlConnection.ClearAllPools();
            await cluster.StopAsync(CancellationToken.None);
            await (restored?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
        }
    }

    [Fact]
    public async Task A_job_that_was_submitted_after_the_restored_moment_is_not_submitted_again()
    {
        var home = Path.Combine(Home, "twice");
        var archive = Path.Combine(home, "wal");
        await PrivateCluster.PrepareDirectoryAsync(archive, CancellationToken.None);
        var cluster = await PrivateCluster.StartAsync(Path.Combine(home, "first"), null, PrivateCluster.ArchiveSettings(archive, 1), CancellationToken.None);
        var system = new OnCluster(cluster, []);
        PrivateCluster? restored = null;
        try
        {
            await system.InitializeAsync();
            var phones = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => system.NewGuestAsync(100)));
            using var enough = new CancellationTokenSource();
            var load = phones.Select((phone, number) => PressNumberedAsync(phone, number, enough.Token)).ToList();
            await WaitForRowsAsync(system, 20);
            var backup = await cluster.BackUpAsync(Path.Combine(home, "backups"), CancellationToken.None);
            // These wait at the restored moment, and are with the provider a moment later.
            await system.ExecuteAsync(
                "insert into provider_states (provider, paused_until) values ('fal', now() + interval '1 hour') on conflict (provider) do update set paused_until = excluded.paused_until"
            );
            var waiting = new List<Guid>();
            foreach (var phone in phones)
            {
                waiting.Add((await phone.GenerateAsync($"Waiting of {phone.UserId}"))["job_id"].GetGuid());
            }
            var moment = await system.QueryAsync<DateTime>("select clock_timestamp()");
            await system.ExecuteAsync("update provider_states set paused_until = null");
            await Eventually.IsAsync(
                async () =>
                    (await Task.WhenAll(phones.Select(phone => system.SubmissionsAsync($"Waiting of {phone.UserId}")))).Count(found => found.Count == 1),
                submitted => submitted == phones.Length
            );
            await enough.CancelAsync();
            await Task.WhenAll(load);
            await system.ExecuteAsync("select pg_switch_wal()");
            await Eventually.IsAsync(
                () => system.QueryAsync<bool>("select last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) from pg_stat_archiver"),
                isArchived => isArchived,
                60
            );
            restored = await PrivateCluster.RestoreAsync(
                backup,
                archive,
                moment,
                Path.Combine(home, "second"),
                null,
                new Dictionary<string, string>(),
                CancellationToken.None
            );
            var list = string.Join(',', waiting.Select(job => $"'{job}'"));
            Assert.Equal(["queued"], await RowsAsync(restored, $"select distinct stage from video_jobs where job_id in ({list})"));
            Assert.Equal(["true"], await RowsAsync(restored, "select submissions_are_held()::text"));

            await system.OnAsync(restored);
            await Eventually.IsAsync(() => system.QueryAsync<bool>("select submissions_are_held()"), isHeld => !isHeld);
            await system.ExecuteAsync("update provider_states set paused_until = null");
            // What is accepted from here on is submitted as ever, and what waited ends with a refund, since nothing is heard of it.
            Assert.Equal("completed", (await phones[0].GenerateAndWatchAsync("After the restore")).GetProperty("status").GetString());
            await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from video_jobs where stage <> 'finished'"), open => open == 0, 120);
            Assert.Equal(
                ["failed|0"],
                await system.RowsAsync(
                    $"select distinct status, (select sum(change) from quota_log q where q.job_id = j.job_id) from video_jobs j where job_id in ({list})"
                )
            );
            var requests = await system.Control.GetFromJsonAsync<JsonElement>("/_control/fal/requests");
            Assert.Empty(
                requests
                    .GetProperty("requests")
                    .EnumerateArray()
                    .GroupBy(request => request.GetProperty("input").GetProperty("prompt").GetString())
                    .Where(prompt => prompt.Count() > 1)
                    .Select(prompt => $"{prompt.Key}: {prompt.Count()}")
            );
            Assert.Equal(["1"], await system.RowsAsync("select count(*) from alerts where kind = 'database_restored'"));
            await system.AssertLedgerAsync();
        }
        finally
        {
            await system.DisposeAsync();
            NpgsqlConnection.ClearAllPools();
            await cluster.StopAsync(CancellationToken.None);
            await (restored?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
        }
    }

    /// <summary>Every press has a prompt of its own, so that the provider's list shows what came twice.</summary>
    private static async Task PressNumberedAsync(Phone phone, int number, CancellationToken enough)
    {
        for (var press = 0; press < 10 && !enough.IsCancellationRequested; press++)
        {
            await phone.GenerateAsync($"Press {number}.{press}");
            await Task.Yield();
        }
    }

    private static async Task PressAsync(Phone phone, Apple apple, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            await phone.GenerateAndWatchAsync("Under load");
            await phone.GenerateAsync("Failing under load [fail]");
            var (_, signed) = await apple.BuyAsync(Apple.Pack25, phone.UserId);
            await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        }
    }

    private static Task WaitForRowsAsync(TestSystem system, long rows) =>
        Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from quota_log"), count => count >= rows);

    private static async Task<List<string>> RowsAsync(PrivateCluster cluster, string sql)
    {
        await using var connection = new NpgsqlConnection(cluster.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(reader.GetString(0));
        }
        return rows;
    }
}
