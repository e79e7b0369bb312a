using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Reelbase.Bench;

/// <summary>The figures of one run.</summary>
public sealed class Figures
{
    private const double GenerateGoal = 0.6;
    private const double StatusGoal = 0.5;
    private readonly List<(string What, string Value, string Goal, bool IsGood)> _lines = [];

    /// <summary>Whether every goal was reached.</summary>
    public bool IsGood => _lines.TrueForAll(line => line.IsGood);

    public void Start(double seconds) => _lines.Add(("time to ready, PostgreSQL stopped before", Text($"{seconds:0.00} s"), "under 5 s", seconds < 5));

    public void Generate(double ours, double ceiling) =>
        Rate("generate-video accepted, 32 connections, 1,000 users", "pgbench calling the same function", ours, ceiling, GenerateGoal);

    public void Status(double ours, double ceiling) =>
        Rate("get-video-status, 32 connections, 1,000 users", "pgbench, same transaction and role switch", ours, ceiling, StatusGoal);

    public void Memory(double idle, double peak)
    {
        _lines.Add(("resident memory, idle", Text($"{idle:0} MB"), "", true));
        _lines.Add(("resident memory, under load", Text($"{peak:0} MB"), "", true));
    }

    public void Print()
    {
        foreach (var (what, value, goal, isGood) in _lines)
        {
            System.Console.WriteLine($"{what, -58} {value, -34} {(goal.Length == 0 ? "" : (isGood ? "good: " : "MISSED: ") + goal)}");
        }
    }

    /// <summary>Writes bench/figures.md.</summary>
    public void Record(string[] args)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"""
            # Figures

            Made by `./reelbase bench {string.Join(
                ' ',
                args
            )}` on {DateTime.UtcNow:yyyy-MM-dd}: {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores shared by PostgreSQL, the
            server and the client that asks; durability on (`fsync`, `synchronous_commit`); medians of three rounds, in turns. PostgreSQL's own
            ceiling is measured in the same run with `pgbench -M prepared`, one pipeline for each transaction. Compare ratios, not rates.

            | what | figure | goal |
            |---|---|---|

            """
        );
        foreach (var (what, value, goal, isGood) in _lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {what} | {value} | {(goal.Length == 0 ? "" : goal + (isGood ? ": reached" : ": missed"))} |\n");
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "reelbase.slnx")))
            {
                File.WriteAllText(Path.Combine(folder.FullName, "bench", "figures.md"), text.ToString());
                return;
            }
        }
    }

    private void Rate(string what, string against, double ours, double ceiling, double goal)
    {
        _lines.Add((what, Text($"{ours:0} per second"), "", true));
        _lines.Add(($"  {against}", Text($"{ceiling:0} per second"), "", true));
        _lines.Add(("  ratio", Text($"{ours / ceiling:0.0 %}"), Text($"at least {goal:0 %}"), ours / ceiling >= goal));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
