using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Bench.Console;

/// <summary><c>bench console</c>: seeds a large past and measures everything that the console's pages ask.</summary>
public static class ConsoleVerb
{
    private const double MaxMedianMilliseconds = 500;
    private const int Rounds = 7;

    /// <summary>Runs it; answers the exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var users =
            Array.IndexOf(args, "--users") is var at and >= 0 && at + 1 < args.Length && int.TryParse(args[at + 1], out var given)
                ? Math.Clamp(given, 1000, 10_000_000)
                : 1_000_000;
        var home = Path.Combine(Path.GetTempPath(), "reelbase-console-" + Guid.NewGuid().ToString("N")[..8]);
        var settings = new Dictionary<string, string>
        {
            ["fsync"] = "off",
            ["shared_buffers"] = "1GB",
            ["max_wal_size"] = "16GB",
            ["jit"] = "off",
        };
        var cluster = await PrivateCluster.StartAsync(home, null, settings, CancellationToken.None);
        try
        {
            await new Migrator(cluster.ConnectionString, NullLogger.Instance).RunAsync(false, CancellationToken.None);
            var watch = Stopwatch.StartNew();
            await ConsoleSeed.FillAsync(cluster.ConnectionString, users, System.Console.Error);
            var seeded = watch.Elapsed;
            var report = await MeasureAsync(cluster.ConnectionString, users, seeded);
            System.Console.WriteLine(report.Text);
            if (args.Contains("--record"))
            {
                await File.WriteAllTextAsync("bench/console.md", report.Text);
            }
            return report.IsGood ? 0 : 1;
        }
        finally
        {
            NpgsqlConnection.ClearAllPools();
            await cluster.StopAsync(CancellationToken.None);
            try
            {
                Directory.Delete(home, recursive: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                System.Console.Error.WriteLine($"{home} could not be removed: {error.Message}");
            }
        }
    }

    private static async Task<(string Text, bool IsGood)> MeasureAsync(string owner, int users, TimeSpan seeded)
    {
        var session = Guid.NewGuid();
        var facts = new List<string>();
        await using (var connection = new NpgsqlConnection(owner))
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(
                $"""
                insert into sessions (id, user_id, method) values ('{session}', '{ConsoleSeed.UserId(1)}', 'admin');
                select job_id::text from video_jobs where user_id = '{ConsoleSeed.UserId(users / 2)}' order by created_at limit 1;
                select substr(trace_parent, 4, 32) from video_jobs where user_id = '{ConsoleSeed.UserId(users / 2)}' order by created_at limit 1;
                select format('%s users, %s jobs, %s ledger rows, %s', (select count(*) from users), (select count(*) from video_jobs), (select count(*) from quota_log), pg_size_pretty(pg_database_size(current_database())))
                """,
                connection
            )
            {
                CommandTimeout = 600,
            };
            await using var reader = await command.ExecuteReaderAsync();
            do
            {
                while (await reader.ReadAsync())
                {
                    facts.Add(reader.GetString(0));
                }
            } while (await reader.NextResultAsync());
        }
        await using var database = new ApiDatabase(ConnectionStrings.From(new DatabaseOptions { CommandTimeoutSeconds = 60 }, owner), 50);
        var admin = ConsoleQueries.Admin(session);
        var text = new StringBuilder().Append(
            CultureInfo.InvariantCulture,
            $"# The console on a large database\n\nWritten by `./reelbase bench console --users {users} --record`. {facts[2]}; seeded in {seeded.TotalMinutes:0} minutes, {Environment.ProcessorCount} cores.\nEach query is asked {Rounds} times over one connection, as the console asks it; the median counts and may be {MaxMedianMilliseconds:0} ms.\n\n| page | what is asked | median, ms | worst, ms |\n|---|---|---:|---:|\n"
        );
        var isGood = true;
        foreach (var query in ConsoleQueries.All(users, facts[0], facts[1]))
        {
            var times = new List<double>();
            for (var round = 0; round < Rounds; round++)
            {
                var watch = Stopwatch.StartNew();
                await ConsoleQueries.AskAsync(database, admin, query);
                times.Add(watch.Elapsed.TotalMilliseconds);
            }
            var median = times.Order().ElementAt(Rounds / 2);
            isGood &= median < MaxMedianMilliseconds;
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {query.Page} | `{query.Name.Replace("|", "\\|", StringComparison.Ordinal)}` | {median:0.0} | {times.Max():0.0} |\n"
            );
        }
        text.Append(isGood ? "\nAll are within the bound.\n" : "\n**Not all are within the bound.**\n");
        return (text.ToString(), isGood);
    }
}
