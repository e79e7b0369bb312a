using System.Globalization;
using Reelbase.Bench.Flood;

namespace Reelbase.Bench.Streams;

/// <summary><c>bench streams [--streams N] [--waiting N] [--seconds N] [--record]</c>.</summary>
public static class StreamsVerb
{
    private const int MaxStreams = 20_000;
    private const int MaxSeconds = 600;

    public static async Task<int> RunAsync(string[] args)
    {
        var (streams, watching, seconds, isRecorded) = (10_000, 10_000, 20, false);
        for (var at = 0; at < args.Length; at++)
        {
            var value = at + 1 < args.Length && int.TryParse(args[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
            switch (args[at])
            {
                case "--streams" when value is > 0 and <= MaxStreams:
                    streams = value;
                    at++;
                    break;
                case "--waiting" when value is > 0 and <= MaxStreams:
                    watching = value;
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
                        $"bench streams: {args[at]} is not understood; it takes --streams and --waiting (to {MaxStreams}), --seconds (to {MaxSeconds}) and --record"
                    );
                    return 2;
            }
        }
        if (!FloodVerb.MayOpen("streams", Math.Max(streams, watching)))
        {
            return 2;
        }
        var report = await StreamsRun.RunAsync(streams, watching, seconds);
        report.Print();
        if (isRecorded)
        {
            report.Record(args);
        }
        return report.IsGood ? 0 : 1;
    }
}
