using System.Globalization;

namespace Reelbase.Bench.Faults;

/// <summary><c>bench faults [--minutes M] [--seed S] [--record]</c>.</summary>
public static class FaultVerb
{
    private const double DefaultMinutes = 5;
    private const double MaxMinutes = 24 * 60;

    public static async Task<int> RunAsync(string[] args)
    {
        var minutes = DefaultMinutes;
        var seed = Random.Shared.Next(1, 1_000_000);
        var isRecorded = false;
        for (var at = 0; at < args.Length; at++)
        {
            var value = at + 1 < args.Length ? args[at + 1] : "";
            switch (args[at])
            {
                case "--minutes"
                    when double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out minutes) && minutes is > 0 and <= MaxMinutes:
                case "--seed" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out seed):
                    at++;
                    break;
                case "--record":
                    isRecorded = true;
                    break;
                default:
                    System.Console.Error.WriteLine($"bench faults: {args[at]} is not understood; it takes --minutes M, --seed S and --record");
                    return 2;
            }
        }
        var report = await FaultCampaign.RunAsync(minutes, seed, System.Console.Out);
        if (isRecorded)
        {
            FaultRecord.Write(report);
        }
        return report.IsGood ? 0 : 1;
    }
}
