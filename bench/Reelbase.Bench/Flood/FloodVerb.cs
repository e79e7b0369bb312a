using System.Globalization;

namespace Reelbase.Bench.Flood;

/// <summary><c>bench flood [--connections N] [--addresses N] [--seconds N] [--record]</c>.</summary>
public static class FloodVerb
{
    private const int MaxConnections = 20_000;
    private const int MaxAddresses = 10_000;
    private const int MaxSeconds = 600;

    /// <summary>Descriptors that a process needs beside its connections.</summary>
    private const int OtherDescriptors = 500;

    public static async Task<int> RunAsync(string[] args)
    {
        var (connections, addresses, seconds, isRecorded) = (10_000, 1000, 60, false);
        for (var at = 0; at < args.Length; at++)
        {
            var value = at + 1 < args.Length && int.TryParse(args[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
            switch (args[at])
            {
                case "--connections" when value is > 0 and <= MaxConnections:
                    connections = value;
                    at++;
                    break;
                case "--addresses" when value is >= 20 and <= MaxAddresses:
                    addresses = value;
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
                        $"bench flood: {args[at]} is not understood; it takes --connections (to {MaxConnections}), --addresses (20 to {MaxAddresses}), --seconds (to {MaxSeconds}) and --record"
                    );
                    return 2;
            }
        }
        if (!MayOpen("flood", connections))
        {
            return 2;
        }
        var report = await FloodRun.RunAsync(connections, addresses, seconds);
        report.Print();
        if (isRecorded)
        {
            report.Record(args);
        }
        return report.IsGood ? 0 : 1;
    }

    /// <summary>Whether this machine lets a process have so many connections; says what to do when not.</summary>
    internal static bool MayOpen(string verb, int connections)
    {
        // .NET raises a process's own limit to the hard one; beyond that only the machine can help.
        if (HardLimit() is not { } limit || limit >= connections + OtherDescriptors)
        {
            return true;
        }
        System.Console.Error.WriteLine(
            $"bench {verb}: {connections} connections need {connections + OtherDescriptors} file descriptors in a process and ulimit -Hn allows {limit}: raise it, or give --connections {Math.Max(1, limit - OtherDescriptors)}"
        );
        return false;
    }

    private static long? HardLimit()
    {
        if (!File.Exists("/proc/self/limits"))
        {
            return null;
        }
        var words = File.ReadLines("/proc/self/limits")
            .First(line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.TryParse(words[4], CultureInfo.InvariantCulture, out var hard) ? hard : null;
    }
}
