using System.Globalization;
using Reelbase.Bench.Flood;

namespace Reelbase.Bench.Speed;

/// <summary>What a round costs: seconds of CPU of the program that answers and of PostgreSQL, and bytes that .NET allocated.</summary>
public sealed class Meter(Stage stage) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private double _server;
    private double _database;
    private double _allocated;

    /// <summary>Begins with the processes that answer; none: PostgreSQL is asked directly.</summary>
    public async Task BeginAsync(IReadOnlyList<int> processes)
    {
        _allocated = await AllocatedAsync(processes);
        _server = Server(processes);
        _database = FloodCosts.DatabaseSeconds(stage);
    }

    /// <summary>Ends a round of so many answers.</summary>
    public async Task<Sample> EndAsync(IReadOnlyList<int> processes, double perSecond, double answers, List<double> milliseconds)
    {
        var (server, database) = (Server(processes) - _server, FloodCosts.DatabaseSeconds(stage) - _database);
        var allocated = await AllocatedAsync(processes) - _allocated;
        milliseconds.Sort();
        return new(
            perSecond,
            At(milliseconds, 0.5),
            At(milliseconds, 0.95),
            At(milliseconds, 0.99),
            processes.Count == 0 ? double.NaN : server / answers * 1e6,
            database / answers * 1e6,
            allocated / answers
        );
    }

    /// <summary>The value that a share of them do not exceed.</summary>
    public static double At(List<double> sorted, double share) =>
        sorted.Count == 0 ? double.NaN : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];

    public void Dispose() => _http.Dispose();

    private static double Server(IReadOnlyList<int> processes) => processes.Sum(process => FloodCosts.Seconds(process.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Only our server says; the exporter repeats its answer for a third of a second.</summary>
    private async Task<double> AllocatedAsync(IReadOnlyList<int> processes)
    {
        if (processes is not [var process] || process != stage.ServerProcessId)
        {
            return double.NaN;
        }
        await Task.Delay(350);
        var text = await _http.GetStringAsync($"http://127.0.0.1:{stage.Port}/metrics");
        return text.Split('\n')
            .Where(line => line.StartsWith("dotnet_gc_heap_total_allocated_bytes_total", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture));
    }
}
