using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Reelbase.Bench.Flood;
using Reelbase.Bench.Realtime;

namespace Reelbase.Bench.Load;

/// <summary>What a run of mixed load showed, and whether each promise was kept.</summary>
public sealed class LoadReport
{
    private const double IdleMegabytes = 150;
    private const double LoadMegabytes = 250;
    private const double TogetherMegabytes = 1024;

    /// <summary>Between the second and the last quarter; what a collector does from one minute to the next is more than nothing.</summary>
    private const double MayRise = 0.05;

    public required int Rate { get; init; }
    public required MemorySample Idle { get; init; }
    public required FloodCosts Load { get; set; }
    public List<MemorySample> Samples { get; } = [];
    public double Seconds { get; set; }
    public double[] Milliseconds { get; set; } = [];
    public long Finished { get; set; }
    public MemorySample? After { get; set; }

    private List<double> Quarters =>
        [.. Samples.Index().GroupBy(sample => sample.Index * 4 / Samples.Count).Select(part => part.Average(sample => sample.Item.Server))];

    private double Peak => Samples.Max(sample => sample.Server);

    /// <summary>Whether every promise was kept.</summary>
    public bool IsGood => Lines().All(line => line.IsGood);

    public void Print()
    {
        foreach (var (what, value, promise, isGood) in Lines())
        {
            System.Console.WriteLine($"{what, -76} {value, -48} {(promise.Length == 0 ? "" : (isGood ? "kept: " : "BROKEN: ") + promise)}");
        }
    }

    /// <summary>Writes bench/load.md.</summary>
    public void Record(string[] args)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"""
            # Mixed load

            Made by `./reelbase bench load {string.Join(
                ' ',
                args
            )}` on {DateTime.UtcNow:yyyy-MM-dd}: {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores shared by PostgreSQL (durable), one node with every role, pretend providers and the client.
            Of a hundred requests 56 are statuses (of jobs just pressed, and of finished ones), 14 credits, 12 models, 8 lists of jobs, 5 histories, 2 themes, 2 profiles and 1 a press, whose video is made, fetched, stored and given a
            thumbnail. Memory is what the system counts as resident; of PostgreSQL the sum of its processes with shared pages counted once (`Pss`).

            | what | figure | promise |
            |---|---|---|

            """
        );
        foreach (var (what, value, promise, isGood) in Lines())
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {what} | {value} | {(promise.Length == 0 ? "" : promise + (isGood ? ": kept" : ": **broken**"))} |\n"
            );
        }
        File.WriteAllText(Repository.PathOf("bench", "load.md"), text.ToString());
    }

    private List<(string What, string Value, string Promise, bool IsGood)> Lines() =>
        [
            ("the node's resident memory, idle", Text($"{Idle.Server:0} MB"), Text($"at most {IdleMegabytes:0} MB"), Idle.Server <= IdleMegabytes),
            ("requests", Text($"{Milliseconds.Length} in {Seconds:0} s ({Milliseconds.Length / Seconds:0} a second of {Rate})"), "", true),
            ("videos delivered meanwhile", Text($"{Finished}"), "", true),
            ("p50, p95, p99, longest", Latencies.Say(Milliseconds), "", true),
            (
                "the node's resident memory in the load's quarters; its peak",
                string.Join(", ", Quarters.Select(quarter => Text($"{quarter:0}"))) + Text($"; {Peak:0} MB"),
                Text($"the peak at most {LoadMegabytes:0} MB"),
                Peak <= LoadMegabytes
            ),
            (
                "of the last quarter against the second",
                Text($"{(Quarters[^1] / Quarters[Math.Min(1, Quarters.Count - 1)]) - 1:+0.0 %;-0.0 %;0 %}"),
                Text($"at most {MayRise:0 %} above"),
                Quarters[^1] <= Quarters[Math.Min(1, Quarters.Count - 1)] * (1 + MayRise)
            ),
            ("the node's resident memory after 20 s of rest", Text($"{After?.Server:0} MB"), "", true),
            ("PostgreSQL, idle; its peak", Text($"{Idle.Database:0}; {Samples.Max(sample => sample.Database):0} MB"), "", true),
            (
                "node and PostgreSQL together, peak",
                Text($"{Samples.Max(sample => sample.Together):0} MB"),
                Text($"at most {TogetherMegabytes:0} MB"),
                Samples.Max(sample => sample.Together) <= TogetherMegabytes
            ),
            ("CPU of the node and of PostgreSQL", Text($"{Load.Server / Seconds:0.00} and {Load.Database / Seconds:0.00} cores"), "", true),
        ];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
