using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Bench.Import;

/// <summary><c>bench import</c>: how long an import of so many users takes, with what memory and how many statements, beside <c>psql \copy</c> of the same rows.</summary>
public static class ImportVerb
{
    private static readonly string[] Tables = ["public.users", "public.video_jobs", "public.quota_log", "auth.refresh_tokens"];

    /// <summary>Runs it; answers the exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var sizes = Sizes(Array.IndexOf(args, "--users") is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : "100000");
        var home = Path.Combine(Path.GetTempPath(), "reelbase-import-" + Guid.NewGuid().ToString("N")[..8]);
        // Durable, as an installation is; statements are counted by PostgreSQL itself.
        var settings = new Dictionary<string, string>
        {
            ["shared_preload_libraries"] = "pg_stat_statements",
            ["pg_stat_statements.track"] = "top",
            ["jit"] = "off",
        };
        var cluster = await PrivateCluster.StartAsync(home, null, settings, CancellationToken.None);
        try
        {
            var lines = new List<string>();
            foreach (var users in sizes)
            {
                await PrepareAsync(cluster.ConnectionString, users);
            }
            if (args.Contains("--pause"))
            {
                System.Console.Error.WriteLine("ready: Enter begins to measure");
                await System.Console.In.ReadLineAsync();
            }
            var load = Load();
            foreach (var users in sizes)
            {
                lines.Add(await MeasureAsync(cluster.ConnectionString, users));
                System.Console.Error.WriteLine(lines[^1]);
            }
            var text = new StringBuilder().Append(
                CultureInfo.InvariantCulture,
                $"""
                # An import

                Written by `./reelbase bench import --users {string.Join(
                    ',',
                    sizes
                )} --record`. Source and target in one durable PostgreSQL on {Environment.ProcessorCount} cores with everything else; load average
                {load} before and {Load()} after, so compare ratios and growth, not seconds. Each user of the source has a job, two or three ledger rows and a refresh token.
                `\copy` is `psql` writing the four tables' rows out and another into empty tables like them, which checks, converts and compares nothing.

                | users | rows | import, s | reading | carrying | comparing | most memory, MB | statements to the target | a row | `\copy`, s | import : `\copy` |
                |---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|

                """
            );
            lines.ForEach(line => text.Append(line).Append('\n'));
            System.Console.WriteLine(text);
            if (args.Contains("--record"))
            {
                // What limits it is written by hand below the figures and stays.
                const string mark = "\n## What limits it\n";
                var old = File.Exists("bench/import.md") ? await File.ReadAllTextAsync("bench/import.md") : "";
                var rest = old.IndexOf(mark, StringComparison.Ordinal) is var from and >= 0 ? old[from..] : "";
                await File.WriteAllTextAsync("bench/import.md", text + rest);
            }
            return 0;
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

    /// <summary>One number: 1,000 and each ten times as many up to it. Several with commas: those.</summary>
    private static int[] Sizes(string given)
    {
        var numbers = given.Split(',').Select(number => int.TryParse(number, out var users) ? Math.Clamp(users, 1_000, 1_000_000) : 100_000).ToArray();
        return numbers.Length > 1 ? numbers : [.. new[] { 1_000, 10_000, 100_000, 1_000_000 }.Where(users => users <= numbers[0])];
    }

    /// <summary>The former project with its users, an installation without any, and tables like the source's without a row.</summary>
    private static async Task PrepareAsync(string cluster, int users)
    {
        var (source, target, plain) = (
            await CreateAsync(cluster, $"source_{users}"),
            await CreateAsync(cluster, $"target_{users}"),
            await CreateAsync(cluster, $"plain_{users}")
        );
        var project = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "supabase-project.sql"));
        await RunAsync(source, project.Replace("{users}", users.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) + "; analyze");
        await new Migrator(target, NullLogger.Instance).RunAsync(false, CancellationToken.None);
        var empty = project[..project.IndexOf("insert into auth.users", StringComparison.Ordinal)];
        await RunAsync(plain, empty);
    }

    private static async Task<string> MeasureAsync(string cluster, int users)
    {
        var (source, target, plain) = (Named(cluster, $"source_{users}"), Named(cluster, $"target_{users}"), Named(cluster, $"plain_{users}"));
        await RunAsync(cluster, "create extension if not exists pg_stat_statements; checkpoint");
        var copy = Stopwatch.StartNew();
        foreach (var table in Tables)
        {
            await CopyAsync(source, plain, table);
        }
        var copied = copy.Elapsed.TotalSeconds;
        await RunAsync(cluster, "checkpoint; select pg_stat_statements_reset()");
        var watch = Stopwatch.StartNew();
        var output = await ImportAsync(source, target);
        var imported = watch.Elapsed.TotalSeconds;
        var statements = await CountAsync(
            cluster,
            $"select coalesce(sum(s.calls), 0)::bigint from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = 'target_{users}'"
        );
        var rows = await CountAsync(source, "select " + string.Join(" + ", Tables.Select(table => $"(select count(*) from {table})")));
        var time = output.Split('\n').Single(line => line.StartsWith("Time: ", StringComparison.Ordinal));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {users:N0} | {rows:N0} | {imported:0.0} | {Figure(time, "reading"):0.0} | {Figure(time, "carrying"):0.0} | {Figure(time, "comparing"):0.0} | {Figure(time, "memory"):0} | {statements:N0} | {(double)statements / rows:0.0000} | {copied:0.0} | {imported / copied:0.0} |"
        );
    }

    private static double Figure(string line, string name) =>
        double.Parse(line[(line.IndexOf(name + " ", StringComparison.Ordinal) + name.Length + 1)..].Split(' ')[0], CultureInfo.InvariantCulture);

    private static async Task<string> CreateAsync(string cluster, string name)
    {
        await RunAsync(cluster, $"create database {name}");
        return Named(cluster, name);
    }

    private static string Named(string cluster, string name) =>
        new NpgsqlConnectionStringBuilder(cluster)
        {
            Database = name,
            Pooling = false,
            CommandTimeout = 3_600,
        }.ConnectionString;

    private static async Task RunAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 3_600 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> CountAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 3_600 };
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<string> ImportAsync(string source, string target)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll"), "import", "supabase"])
        {
            RedirectStandardOutput = true,
            // Not arguments, which everybody on the machine can read.
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["SUPABASE_DB_URL"] = ConnectionStrings.ToUrl(source),
                ["REELBASE__Database__ConnectionString"] = ConnectionStrings.ToUrl(target),
            },
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"the import ended with {process.ExitCode}: {output}");
    }

    private static async Task CopyAsync(string source, string target, string table)
    {
        using var from = Psql(source, $"\\copy {table} to stdout", reads: false);
        using var to = Psql(target, $"\\copy {table} from stdin", reads: true);
        await from.StandardOutput.BaseStream.CopyToAsync(to.StandardInput.BaseStream);
        to.StandardInput.Close();
        await Task.WhenAll(from.WaitForExitAsync(), to.WaitForExitAsync());
        if (from.ExitCode != 0 || to.ExitCode != 0)
        {
            throw new InvalidOperationException($"psql could not copy {table}");
        }
    }

    private static Process Psql(string database, string command, bool reads) =>
        Process.Start(
            new ProcessStartInfo(
                "psql",
                [
                    "--no-psqlrc",
                    "--quiet",
                    "--set",
                    "ON_ERROR_STOP=1",
                    "--command",
                    command,
                    ConnectionStrings.ToUrl(new NpgsqlConnectionStringBuilder(database) { Password = null }.ConnectionString),
                ]
            )
            {
                Environment = { ["PGPASSWORD"] = new NpgsqlConnectionStringBuilder(database).Password ?? "" },
                RedirectStandardInput = reads,
                RedirectStandardOutput = !reads,
            }
        )!;

    private static string Load() => File.Exists("/proc/loadavg") ? string.Join(", ", File.ReadAllText("/proc/loadavg").Split(' ')[..3]) : "unknown";
}
