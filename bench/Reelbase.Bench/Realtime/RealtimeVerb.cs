using System.Globalization;
using Reelbase.Bench.Flood;

namespace Reelbase.Bench.Realtime;

/// <summary><c>bench realtime [--connections N] [--seconds N] [--record]</c>.</summary>
public static class RealtimeVerb
{
    private const int MaxConnections = 20_000;
    private const int MaxSeconds = 600;

    public static async Task<int> RunAsync(string[] args)
    {
        var (connections, seconds, isRecorded) = (10_000, 30, false);
        for (var at = 0; at < args.Length; at++)
        {
            var value = at + 1 < args.Length && int.TryParse(args[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
            switch (args[at])
            {
                case "--connections" when value is > 0 and <= MaxConnections:
                    connections = value;
                    at++;
                    break;
                case "--seconds" when value is > 0 and <= MaxSeconds:
                    seconds = value;
                    at++;
                    break;
                case "--record":
                    isRecorded = true;
                    break;
                default:
                    System.Console.Error.WriteLine(
                        $"bench realtime: {args[at]} is not understood; it takes --connections (to {MaxConnections}), --seconds (to {MaxSeconds}) and --record"
                    );
                    return 2;
            }
        }
        if (!FloodVerb.MayOpen("realtime", connections))
        {
            return 2;
        }
        var report = await RealtimeRun.RunAsync(connections, seconds);
        report.Print();
        if (isRecorded)
        {
            report.Record(args);
        }
        return report.IsGood ? 0 : 1;
    }
}
