using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Reelbase.Bench.Flood;
using Reelbase.Bench.Realtime;

namespace Reelbase.Bench.Streams;

/// <summary>The figures of a run and whether each promise was kept.</summary>
public sealed class StreamsReport
{
    private const double BytesPerStream = 20_000;
    private const double ShareOfACore = 5;
    private const double Milliseconds = 100;

    private readonly List<(string What, string Value, string Promise, bool IsGood)> _lines = [];

    public required string LoadBefore { get; init; }
    public string LoadAfter { get; set; } = "";

    /// <summary>Streams of jobs that run.</summary>
    public required int Streams { get; init; }

    /// <summary>Streams of jobs that wait.</summary>
    public required int Watching { get; init; }
    public required int Seconds { get; init; }

    /// <summary>Whether every promise was kept.</summary>
    public bool IsGood => _lines.TrueForAll(line => line.IsGood);

    public void Waiting(FloodCosts without, FloodCosts with, int open)
    {
        var (server, database) = (Share(with.Server), Share(with.Database));
        Add(
            $"{Watching} streams of {StreamsRun.WaitingJobs} jobs that wait and see nothing happen: the server, PostgreSQL, both",
            Text($"{server:0.0}, {database:0.0}, {server + database:0.0} % of a core"),
            Text($"{ShareOfACore:0} % or less"),
            server + database <= ShareOfACore
        );
        Add("  with no stream open", Text($"{Share(without.Server):0.0}, {Share(without.Database):0.0} % of a core"));
        Add("  transactions a second", Text($"{(double)with.Transactions / Seconds:0.0}; {(double)without.Transactions / Seconds:0.0} with no stream open"));
        Add("  still open", Text($"{open}"), "all", open == Watching);
    }

    public void Opened(int open, double seconds) =>
        Add("streams, each of another user", Text($"{open} in {seconds:0.0} s ({open / seconds:0} a second)"), "all", open == Streams);

    /// <summary>What a stream holds: resident as it stood and after a collection, and alive.</summary>
    public void Memory(ProcessMemory idle, long resident, ProcessMemory open)
    {
        Add(
            "the server's resident memory before; with all open, nothing collected; after a full collection",
            Megabytes(idle.Resident, resident, open.Resident)
        );
        Promise("  resident, a stream, nothing collected", resident - idle.Resident);
        Promise("  resident, a stream, after a full collection", open.Resident - idle.Resident);
        Promise("  managed, a stream", open.Managed - idle.Managed);
    }

    public void Running(FloodCosts costs) =>
        Add(
            "with these open and nothing happening: the server, PostgreSQL, both",
            Text($"{Share(costs.Server):0.0}, {Share(costs.Database):0.0}, {Share(costs.Server + costs.Database):0.0} % of a core"),
            Text($"{ShareOfACore:0} % or less"),
            Share(costs.Server + costs.Database) <= ShareOfACore
        );

    public void Stayed(int open) => Add("  still open", Text($"{open}"), "all", open == Streams);

    public void Changes(Latencies changes, FloodCosts costs)
    {
        Add("jobs finished", Text($"{changes.PerSecond:0.0} a second"));
        Add("changes that did not come", Text($"{changes.Missing}"), "none", changes.Missing == 0);
        var p95 = Latencies.At(changes.FromBefore, 0.95);
        Add(
            "from before COMMIT to the client: median, p95, p99, longest",
            Latencies.Say(changes.FromBefore),
            Text($"p95 at most {Milliseconds:0} ms"),
            p95 <= Milliseconds
        );
        Add("  from COMMIT's answer to the client", Latencies.Say(changes.FromAfter));
        Add("  CPU of server, PostgreSQL and this client meanwhile", Text($"{costs.Server:0.0}, {costs.Database:0.0} and {costs.Client:0.0} s"));
    }

    public void Ended(int open) => Add("streams that did not end with their job", Text($"{open}"), "none", open == 0);

    public void Bare(ProcessMemory idle, long resident, ProcessMemory open)
    {
        Add("Kestrel's own: a stream of one event, resident, nothing collected", Kilobytes(resident - idle.Resident));
        Add("  resident, after a full collection", Kilobytes(open.Resident - idle.Resident));
        Add("  managed", Kilobytes(open.Managed - idle.Managed));
    }

    public void Print()
    {
        foreach (var (what, value, promise, isGood) in _lines)
        {
            System.Console.WriteLine($"{what, -100} {value, -50} {(promise.Length == 0 ? "" : (isGood ? "kept: " : "BROKEN: ") + promise)}");
        }
        System.Console.WriteLine($"Load before and after: {LoadBefore}, {LoadAfter}. " + (IsGood ? "Every promise was kept." : "A promise was broken."));
    }

    /// <summary>Writes bench/streams.md; what is written by hand below the figures stays.</summary>
    public void Record(string[] args)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"""
            # Event streams

            Made by `./reelbase bench streams {string.Join(
                ' ',
                args
            )}` on {DateTime.UtcNow:yyyy-MM-dd}: {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores shared by PostgreSQL (durable), the server (role `api`) and the clients;
            load {LoadBefore} before and {LoadAfter} after. 1 kB = 1,000 bytes; memory is taken as in [realtime.md](realtime.md). CPU is counted over {Seconds} s after {StreamsRun.RestSeconds} s of rest, with heartbeats and comparisons in it.
            A change is `complete_video_job`, COMMIT and the feed's notification, as another node's worker makes them.

            | what | figure | promise |
            |---|---|---|

            """
        );
        foreach (var (what, value, promise, isGood) in _lines)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {what.Trim()} | {value} | {(promise.Length == 0 ? "" : promise + (isGood ? ": kept" : ": **missed**"))} |\n"
            );
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "reelbase.slnx")))
            {
                var file = Path.Combine(folder.FullName, "bench", "streams.md");
                const string mark = "\n## What limits it\n";
                var old = File.Exists(file) ? File.ReadAllText(file) : "";
                File.WriteAllText(file, text + (old.IndexOf(mark, StringComparison.Ordinal) is var at and >= 0 ? old[at..] : ""));
                return;
            }
        }
    }

    private double Share(double seconds) => seconds * 100 / Seconds;

    private void Promise(string what, long bytes) =>
        Add(what, Kilobytes(bytes), Text($"{BytesPerStream / 1000:0} kB or less"), bytes <= BytesPerStream * Streams);

    private void Add(string what, string value, string promise = "", bool isGood = true) => _lines.Add((what, value, promise, isGood));

    private string Kilobytes(long bytes) => Text($"{bytes / 1000.0 / Streams:0.0} kB");

    private static string Megabytes(params long[] bytes) =>
        string.Join(", ", bytes.Select(each => (each / 1e6).ToString("0.0", CultureInfo.InvariantCulture))) + " MB";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
