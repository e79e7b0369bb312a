using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Reelbase.Bench.Speed;

/// <summary>Writes what was measured: bench/figures.md with everything, docs/performance.md with the plots. What is written by hand below their mark stays.</summary>
public static class SpeedRecord
{
    private const string Mark = "\n## What limits it\n";

    public static void Write(SpeedReport report, string[] args, string load)
    {
        var made =
            $"Made by `./reelbase bench {Words(args)}` on {DateTime.UtcNow:yyyy-MM-dd}: {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores shared by PostgreSQL, the server and the client that asks (load {load} before); durability on (`fsync`, `synchronous_commit`); medians of three rounds in turns, lowest and highest in brackets. Compare ratios, not rates.";
        var lines = Lines(report);
        Keep(
            Repository.PathOf("bench", "figures.md"),
            $"""
            # Figures

            {made}

            {lines}
            {Details(report)}
            """
        );
        var folder = Directory.CreateDirectory(Repository.PathOf("docs", "performance")).FullName;
        var plots = new StringBuilder();
        foreach (var (file, title, bars) in Plots(report))
        {
            File.WriteAllText(Path.Combine(folder, file), Charts.Draw(title, bars));
            plots.Append(CultureInfo.InvariantCulture, $"![{title}](performance/{file})\n\n");
        }
        Keep(
            Repository.PathOf("docs", "performance.md"),
            $"""
            # Performance

            {made} Latencies, CPU and allocations: [bench/figures.md](../bench/figures.md); how it is measured: [bench/README.md](../bench/README.md).

            {lines}
            {plots}
            """
        );
    }

    /// <summary>What was asked for, without the names of files.</summary>
    private static string Words(string[] args) =>
        string.Join(' ', args.Where((word, at) => word is not ("--json" or "--with") && (at == 0 || args[at - 1] is not ("--json" or "--with"))));

    private static void Keep(string file, string text)
    {
        var old = File.Exists(file) ? File.ReadAllText(file) : "";
        File.WriteAllText(file, text.TrimEnd() + "\n" + (old.IndexOf(Mark, StringComparison.Ordinal) is var at and >= 0 ? old[at..] : ""));
    }

    private static string Lines(SpeedReport report)
    {
        var text = new StringBuilder("| what | ours | against | figure | at least | strive for | |\n|---|---|---|---|---|---|---|\n");
        foreach (var line in report.Lines)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {line.What.Trim()} | {line.Ours} | {line.Against} | {line.Text} | {Goal(line, line.AtLeast)} | {Goal(line, line.Strive)} | {(line.IsGood ? line.Verdict : "**missed**")} |\n"
            );
        }
        return text.ToString();
    }

    /// <summary>A goal in the unit of its figure.</summary>
    private static string Goal(Line line, double goal) =>
        double.IsNaN(goal) ? ""
        : line.Text.EndsWith('%') ? Line.Say($"{goal:0 %}")
        : Line.Say($"{(line.IsTime ? "at most " : "")}{goal:0.##}{line.Text[line.Text.IndexOf(' ', StringComparison.Ordinal)..]}");

    private static string Details(SpeedReport report)
    {
        var text = new StringBuilder();
        foreach (var (group, all) in report.Groups)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"\n## {group}\n\n| what | a second | p50, p95, p99 ms | CPU of the server and PostgreSQL, µs each | allocated each |\n|---|---|---|---|---|\n"
            );
            foreach (var series in all)
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {series.Name} | {SpeedReport.Rate(series)} | {SpeedReport.Percentiles(series)} | {SpeedReport.Micros(series)} | {SpeedReport.Bytes(series)} |\n"
                );
            }
        }
        return text.ToString();
    }

    private static IEnumerable<(string File, string Title, List<Charts.Bar> Bars)> Plots(SpeedReport report)
    {
        foreach (var (group, all) in report.Groups.Where(group => group.Series.Count > 2))
        {
            var name = string.Concat(group.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '-'))
                .Replace("--", "-", StringComparison.Ordinal);
            yield return (
                $"{name}.svg",
                $"{group}: answers a second, 32 connections",
                [.. all.Select(series => new Charts.Bar(series.Name, series.PerSecond, Line.Say($"{series.PerSecond:N0}"), IsOurs(series.Name)))]
            );
        }
        var queue = report.Groups.Where(group => group.Series.Count <= 2).SelectMany(group => group.Series).ToList();
        if (queue.Count > 0)
        {
            yield return (
                "status-waiting.svg",
                "Status beside a queue: answers a second, 32 connections",
                [.. queue.Select(series => new Charts.Bar(series.Name, series.PerSecond, Line.Say($"{series.PerSecond:N0}"), IsOurs: true))]
            );
        }
        if (report.Claims.Count > 0)
        {
            yield return (
                "claim.svg",
                "A claim of the next jobs: milliseconds, median",
                [
                    .. report.Claims.SelectMany(claim =>
                        new Charts.Bar[]
                        {
                            new(
                                Line.Say($"claim_video_jobs, {claim.Waiting:N0} waiting"),
                                Meter.At(claim.Ours, 0.5),
                                Line.Say($"{Meter.At(claim.Ours, 0.5):0.00} ms"),
                                true
                            ),
                            new(
                                Line.Say($"the oldest first, {claim.Waiting:N0} waiting"),
                                Meter.At(claim.Reference, 0.5),
                                Line.Say($"{Meter.At(claim.Reference, 0.5):0.00} ms"),
                                false
                            ),
                        }
                    ),
                ]
            );
        }
    }

    private static bool IsOurs(string name) => name is Names.Accept or Names.Status;
}
