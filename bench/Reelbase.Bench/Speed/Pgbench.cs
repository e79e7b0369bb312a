using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace Reelbase.Bench.Speed;

/// <summary>PostgreSQL's own load generator: what the database does when nothing stands in front of it.</summary>
public sealed partial class Pgbench(Stage stage)
{
    /// <summary>Of so many transactions one is written down; all of them would cost what is measured.</summary>
    private const double LoggedShare = 0.05;

    /// <summary>Runs a script for a time; a sample of its times in milliseconds.</summary>
    public async Task<(double PerSecond, List<double> Milliseconds)> ForAsync(string login, string script, int connections, double seconds)
    {
        var folder = Directory.CreateDirectory(Path.Combine(stage.DataDirectory, $"pgbench-{Guid.NewGuid():N}")).FullName;
        var share = LoggedShare.ToString(CultureInfo.InvariantCulture);
        var perSecond = await RunAsync(
            login,
            script,
            connections,
            ["-T", Math.Max(1, Math.Round(seconds)).ToString(CultureInfo.InvariantCulture), "-l", $"--sampling-rate={share}", $"--log-prefix={folder}/log"]
        );
        var times = Directory
            .EnumerateFiles(folder, "log.*")
            .SelectMany(File.ReadLines)
            .Select(line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture) / 1000)
            .ToList();
        Directory.Delete(folder, recursive: true);
        return (perSecond, times);
    }

    /// <summary>Runs a script a number of times on each connection.</summary>
    public Task TimesAsync(string login, string script, int connections, int times) => RunAsync(login, script, connections, ["-t", $"{times}"]);

    private async Task<double> RunAsync(string login, string script, int connections, string[] more)
    {
        var file = Path.Combine(stage.DataDirectory, "pgbench.sql");
        await File.WriteAllTextAsync(file, script);
        var to = new NpgsqlConnectionStringBuilder(login);
        var start = new ProcessStartInfo(
            Find(),
            [
                "-n",
                "-M",
                "prepared",
                "-c",
                $"{connections}",
                "-j",
                "2",
                .. more,
                "-f",
                file,
                "-h",
                to.Host!,
                "-p",
                $"{to.Port}",
                "-U",
                to.Username!,
                to.Database!,
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PGPASSWORD"] = to.Password },
        };
        using var pgbench = Process.Start(start)!;
        var errors = pgbench.StandardError.ReadToEndAsync();
        var text = await pgbench.StandardOutput.ReadToEndAsync();
        await pgbench.WaitForExitAsync();
        return Tps().Match(text) is { Success: true } match && pgbench.ExitCode == 0
            ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"pgbench failed: {await errors}");
    }

    private static string Find() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").Order().Select(folder => Path.Combine(folder, "bin", "pgbench")).Last(File.Exists)
            : "pgbench";

    [GeneratedRegex(@"tps = ([\d.]+) \(without")]
    private static partial Regex Tps();
}
