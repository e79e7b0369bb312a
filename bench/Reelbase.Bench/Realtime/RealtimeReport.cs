using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Reelbase.Bench.Flood;

namespace Reelbase.Bench.Realtime;

/// <summary>The figures of a run and whether each promise was kept.</summary>
public sealed class RealtimeReport
{
    private const double BytesPerConnection = 30_000;
    private const double Milliseconds = 100;

    private readonly List<(string What, string Value, string Promise, bool IsGood)> _lines = [];
    private long _idle;

    public required string LoadBefore { get; init; }
    public string LoadAfter { get; set; } = "";
    public required int Connections { get; init; }
    public required int Seconds { get; init; }

    /// <summary>Whether every promise was kept.</summary>
    public bool IsGood => _lines.TrueForAll(line => line.IsGood);

    public void Opened(int open, double seconds) =>
        Add(
            "connections, each of another user, with a channel joined",
            Text($"{open} in {seconds:0.0} s ({open / seconds:0} a second)"),
            "all",
            open == Connections
        );

    /// <summary>What a connection holds: resident as it stood and after a collection, and alive.</summary>
    public void Memory(ProcessMemory idle, long resident, ProcessMemory open)
    {
        _idle = idle.Resident;
        Add(
            "the server's resident memory before; with all open, nothing collected; after a full collection",
            Megabytes(idle.Resident, resident, open.Resident)
        );
        Promise("  resident, a connection, nothing collected", resident - idle.Resident);
        Promise("  resident, a connection, after a full collection", open.Resident - idle.Resident);
        Add("managed memory alive before and with all open", Megabytes(idle.Managed, open.Managed));
        Promise("  managed, a connection", open.Managed - idle.Managed);
    }

    public void Echo(ProcessMemory idle, long resident, ProcessMemory open)
    {
        Add("a bare Kestrel echo: resident, a connection, nothing collected", Kilobytes(resident - idle.Resident));
        Add("  resident, a connection, after a full collection", Kilobytes(open.Resident - idle.Resident));
        Add("  managed, a connection", Kilobytes(open.Managed - idle.Managed));
    }

    public void Changes(Latencies changes, FloodCosts costs)
    {
        Add("jobs finished", Text($"{changes.PerSecond:0.0} a second for {Seconds} s"));
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

    /// <summary>What the server has after the changes, with everything that has not been collected.</summary>
    public void Resident(long bytes) => Add("  the server's resident memory after that, a connection, nothing collected", Kilobytes(bytes - _idle));

    public void Notifications(Latencies notes)
    {
        Add(
            "PostgreSQL's NOTIFY, one listener, as many transactions a second: from before COMMIT",
            Text($"{Latencies.Say(notes.FromBefore)} at {notes.PerSecond:0.0} a second")
        );
        Add("  from COMMIT's answer", Latencies.Say(notes.FromAfter));
    }

    public void Stayed(int open) => Add("connections that were still open at the end", Text($"{open}"), "all", open == Connections);

    public void Print()
    {
        foreach (var (what, value, promise, isGood) in _lines)
        {
            System.Console.WriteLine($"{what, -96} {value, -50} {(promise.Length == 0 ? "" : (isGood ? "kept: " : "BROKEN: ") + promise)}");
        }
        System.Console.WriteLine($"Load before and after: {LoadBefore}, {LoadAfter}. " + (IsGood ? "Every promise was kept." : "A promise was broken."));
    }

    /// <summary>Writes bench/realtime.md; what is written by hand below the figures stays.</summary>
    public void Record(string[] args)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"""
            # Realtime

            Made by `./reelbase bench realtime {string.Join(
                ' ',
                args
            )}` on {DateTime.UtcNow:yyyy-MM-dd}: {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores shared by PostgreSQL (durable), the server and {Connections} clients;
            load {LoadBefore} before and {LoadAfter} after. Each client is another user with a token of its own, two jobs and one channel (`video_jobs` and `users`, filtered by its id), and sends a heartbeat every {RealtimeRun.HeartbeatSeconds} s.

            - **Settings**: those of a fresh installation but for `Flood:RequestsPerSecond` (off) and `Server:Roles` (`api`). The clients come from {RealtimeRun.Addresses} loopback addresses, so that `Realtime:JoinsPerSecondPerAddress` and
              `Live:StreamsPerAddress` hold as they are.
            - **Memory**: after {RealtimeRun.RestSeconds} s of rest, against the same process after a warm-up of 200 connections and a full collection; the difference divided by the connections, 1 kB = 1,000 bytes. The kernel's socket
              buffers are in neither. The bare echo is Kestrel with a zero-byte read in a process with the same collector.
            - **Time**: jobs are finished as another node's worker does it (`complete_video_job`, COMMIT, then the feed's notification, which batches for 20 ms), by the process that holds the clients. One monotonic clock is read just
              before COMMIT is sent, when its answer is here, and when a client's socket has given the message. The promise is judged from before COMMIT.

            | what | figure | promise |
            |---|---|---|

            """
        );
        foreach (var (what, value, promise, isGood) in _lines)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {what.Trim()} | {value} | {(promise.Length == 0 ? "" : promise + (isGood ? ": kept" : ": **broken**"))} |\n"
            );
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "reelbase.slnx")))
            {
                var file = Path.Combine(folder.FullName, "bench", "realtime.md");
                const string mark = "\n## What limits it\n";
                var old = File.Exists(file) ? File.ReadAllText(file) : "";
                File.WriteAllText(file, text + (old.IndexOf(mark, StringComparison.Ordinal) is var at and >= 0 ? old[at..] : ""));
                return;
            }
        }
    }

    private void Promise(string what, long bytes) =>
        Add(what, Kilobytes(bytes), Text($"{BytesPerConnection / 1000:0} kB or less"), bytes <= BytesPerConnection * Connections);

    private void Add(string what, string value, string promise = "", bool isGood = true) => _lines.Add((what, value, promise, isGood));

    private string Kilobytes(long bytes) => Text($"{bytes / 1000.0 / Connections:0.0} kB");

    private static string Megabytes(params long[] bytes) =>
        string.Join(", ", bytes.Select(each => (each / 1e6).ToString("0.0", CultureInfo.InvariantCulture))) + " MB";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
