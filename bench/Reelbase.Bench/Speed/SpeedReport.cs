using System.Text.Json;
using System.Text.Json.Serialization;

namespace Reelbase.Bench.Speed;

/// <summary>The figures of one run.</summary>
public sealed class SpeedReport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private readonly List<Line> _lines = [];
    private readonly List<Group> _groups = [];
    private readonly List<ClaimTimes> _claims = [];
    private Series? _none;

    public IReadOnlyList<Line> Lines => _lines;
    public IReadOnlyList<Group> Groups => _groups;
    public IReadOnlyList<ClaimTimes> Claims => _claims;

    /// <summary>Whether every promise was kept.</summary>
    public bool IsGood => _lines.TrueForAll(line => line.IsGood);

    public void Start(string what, List<double> seconds, double atMost)
    {
        var sorted = seconds.Order().ToList();
        var median = sorted[sorted.Count / 2];
        _lines.Add(Line.Time(what, Line.Say($"{median:0.00} s ({sorted[0]:0.00}–{sorted[^1]:0.00})"), "", median, "s", atMost, atMost));
    }

    public void Memory(double idle, double after)
    {
        _lines.Add(Line.Time("resident memory, idle", Line.Say($"{idle:0} MB"), "", idle, "MB", 150, 150));
        _lines.Add(Line.Time("resident memory after the rounds", Line.Say($"{after:0} MB"), "", after, "MB", 250, 250));
    }

    public void Status(string age, List<Series> series)
    {
        _groups.Add(new($"Status, {age} database", series));
        var ours = Of(series, Names.Status)!;
        _lines.Add(Line.Share($"status of a finished job over HTTP against one indexed read in pgbench, {age}", ours, Of(series, Names.Read)!, 0.2, 0.35));
        if (Of(series, Names.Empty) is { } empty)
        {
            _lines.Add(Line.Share("  against an empty endpoint", ours, empty, double.NaN, double.NaN));
        }
        if (Of(series, Names.Peer) is { } peer)
        {
            _lines.Add(Line.Times("  against the peer on Node", ours, peer, double.NaN, double.NaN));
        }
    }

    public void Accept(string age, List<Series> series)
    {
        _groups.Add(new($"Accept, {age} database", series));
        var ours = Of(series, Names.Accept)!;
        var reference = Of(series, Names.Reference)!;
        _lines.Add(Line.Share($"accept over HTTP against the reference in pgbench, {age}", ours, reference, 0.45, 0.6));
        _lines.Add(Line.Share("  our function alone against the reference", Of(series, Names.AcceptFunction)!, reference, double.NaN, double.NaN));
        _lines.Add(
            Line.Share($"our function for one model against sixteen, {age}", Of(series, Names.AcceptFunction)!, Of(series, Names.AcceptSpread)!, 0.95, 0.95)
        );
        if (Of(series, Names.Peer) is { } peer)
        {
            _lines.Add(Line.Times($"accept over HTTP against the peer on Node, {age}", ours, peer, 1.5, 2));
        }
    }

    public void None(List<Series> series)
    {
        _groups.Add(new("Status, none waiting", series));
        _none = series[0];
    }

    public void Waiting(List<Series> series)
    {
        _groups.Add(new("Status, 20,000 waiting", series));
        _lines.Add(
            Line.Share("status of a waiting job, 20,000 waiting, against a finished one with none waiting", Of(series, Names.Waiting)!, _none!, 0.75, 0.95)
        );
        _lines.Add(Line.Share("  of a finished job, 20,000 waiting, against the same with none", Of(series, Names.Finished)!, _none!, double.NaN, double.NaN));
    }

    public void Claim(ClaimTimes times)
    {
        _claims.Add(times);
        var (p50, p99) = (Meter.At(times.Ours, 0.5), Meter.At(times.Ours, 0.99));
        _lines.Add(
            Line.Time(
                Line.Say($"claim of the next jobs, {times.Waiting:N0} waiting, p50"),
                Line.Say($"{p50:0.00} ms, p99 {p99:0.00} ms, {times.Pages} pages"),
                Line.Say($"{Meter.At(times.Reference, 0.5):0.00} ms, p99 {Meter.At(times.Reference, 0.99):0.00} ms"),
                p50,
                "ms",
                5,
                2
            )
        );
        if (_claims.Count > 1)
        {
            var grown = p50 / Meter.At(_claims[0].Ours, 0.5);
            _lines.Add(
                new("  times that of " + Line.Say($"{_claims[0].Waiting:N0} waiting"), "", "", grown, Line.Say($"{grown:0.00} times"), 1.3, 1.1, IsTime: true)
            );
        }
    }

    public void Print()
    {
        foreach (var line in _lines)
        {
            System.Console.WriteLine($"{line.What, -88} {line.Ours, -34} {line.Against, -28} {line.Text, 12}  {line.Verdict}");
        }
        foreach (var (group, all) in _groups)
        {
            System.Console.WriteLine();
            System.Console.WriteLine(
                $"{group, -40} {"a second (lowest–highest)", 28} {"p50, p95, p99 ms", 24} {"CPU server, PostgreSQL µs", 26} {"allocated", 10}"
            );
            foreach (var series in all)
            {
                System.Console.WriteLine($"  {series.Name, -38} {Rate(series), 28} {Percentiles(series), 24} {Micros(series), 26} {Bytes(series), 10}");
            }
        }
    }

    public static string Rate(Series series) => Line.Say($"{series.PerSecond:0} ({series.Lowest:0}–{series.Highest:0})");

    public static string Percentiles(Series series) => Line.Say($"{series.P50:0.00}, {series.P95:0.00}, {series.P99:0.00}");

    public static string Micros(Series series) =>
        double.IsNaN(series.ServerMicros) ? Line.Say($"–, {series.DatabaseMicros:0}") : Line.Say($"{series.ServerMicros:0}, {series.DatabaseMicros:0}");

    public static string Bytes(Series series) => double.IsNaN(series.AllocatedBytes) ? "–" : Line.Say($"{series.AllocatedBytes / 1000:0.0} kB");

    /// <summary>Everything, for programs and for <see cref="Take"/>.</summary>
    public void WriteJson(string file) =>
        File.WriteAllText(file, JsonSerializer.Serialize(new Written(DateTime.UtcNow, Environment.ProcessorCount, IsGood, _lines, _groups, _claims), Json));

    /// <summary>Takes what an earlier run of the other parts has written.</summary>
    public void Take(string file)
    {
        var written = JsonSerializer.Deserialize<Written>(File.ReadAllText(file), Json)!;
        _lines.AddRange(written.Lines);
        _groups.AddRange(written.Groups);
        _claims.AddRange(written.Claims);
    }

    private static Series? Of(List<Series> series, string name) => series.Find(each => each.Name == name);

    private sealed record Written(DateTime At, int Cores, bool IsGood, List<Line> Lines, List<Group> Groups, List<ClaimTimes> Claims);
}
