using System.Globalization;

namespace Reelbase.Bench.Load;

/// <summary><c>bench load [--minutes M] [--rate N] [--record]</c>.</summary>
public static class LoadVerb
{
    private const double DefaultMinutes = 5;
    private const double MaxMinutes = 24 * 60;
    private const int DefaultRate = 200;
    private const int MaxRate = 5_000;

    public static async Task<int> RunAsync(string[] args)
    {
        var (minutes, rate, isRecorded) = (DefaultMinutes, DefaultRate, false);
        for (var at = 0; at < args.Length; at++)
        {
            var value = at + 1 < args.Length ? args[at + 1] : "";
            switch (args[at])
            {
                case "--minutes"
                    when double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var given) && given is > 0 and <= MaxMinutes:
                    minutes = given;
                    at++;
                    break;
                case "--rate" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var perSecond) && perSecond is > 0 and <= MaxRate:
                    rate = perSecond;
                    at++;
                    break;
                case "--record":
                    isRecorded = true;
                    break;
                default:
                    System.Console.Error.WriteLine(
                        $"bench load: {args[at]} is not understood; it takes --minutes M, --rate N (requests a second) and --record"
                    );
                    return 2;
            }
        }
        var report = await LoadRun.RunAsync(TimeSpan.FromMinutes(minutes), rate);
        report.Print();
        if (isRecorded)
        {
            report.Record(args);
        }
        return report.IsGood ? 0 : 1;
    }
}
