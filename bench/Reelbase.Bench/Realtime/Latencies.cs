using System.Diagnostics;
using System.Globalization;

namespace Reelbase.Bench.Realtime;

/// <summary>Milliseconds from a commit to the client that hears of it, in order.</summary>
/// <param name="FromBefore">From the moment before COMMIT was sent: the commit itself is in it.</param>
/// <param name="FromAfter">From the moment when its answer was here.</param>
/// <param name="Missing">Changes that never came.</param>
/// <param name="PerSecond">Commits a second.</param>
public sealed record Latencies(double[] FromBefore, double[] FromAfter, int Missing, double PerSecond)
{
    public static Latencies From(long[] before, long[] after, long[] arrived, double perSecond)
    {
        var came = Enumerable.Range(0, arrived.Length).Where(job => arrived[job] != 0).ToList();
        return new(
            [.. came.Select(job => Stopwatch.GetElapsedTime(before[job], arrived[job]).TotalMilliseconds).Order()],
            [.. came.Select(job => Stopwatch.GetElapsedTime(after[job], arrived[job]).TotalMilliseconds).Order()],
            arrived.Length - came.Count,
            perSecond
        );
    }

    /// <summary>The value that a share of them do not exceed.</summary>
    public static double At(double[] values, double share) =>
        values.Length == 0 ? double.PositiveInfinity : values[Math.Min(values.Length - 1, (int)(values.Length * share))];

    /// <summary>Median, 95th, 99th percentile and the longest.</summary>
    public static string Say(double[] values) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{At(values, 0.5):0.0}, {At(values, 0.95):0.0}, {At(values, 0.99):0.0} and {At(values, 1):0.0} ms ({values.Length})"
        );
}
