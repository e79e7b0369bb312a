using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Reelbase.Tests.Campaigns.Economy.Mutations;

namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>How a campaign went.</summary>
public sealed record EconomyReport(int Seed, int Histories, long Steps, double Seconds, IReadOnlyList<Failure> Failures)
{
    public string Summary =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"economy: {Histories} histories of {Steps} steps in {Seconds:0.0} s, {Histories / Seconds:0} a second, {Steps / Seconds:0} steps a second, seed {Seed}"
        );

    public override string ToString() => string.Join("\n", Failures.Select(failure => failure.ToString()).Prepend(Summary));
}

/// <summary>Plays histories on a few databases at once until one fails or all are done.</summary>
public static partial class EconomyCampaign
{
    /// <summary>A database is replaced by a fresh one after so many: tables that only grow make every snapshot slower.</summary>
    private const int HistoriesPerDatabase = 2000;

    /// <param name="maxFailures">How many kinds of failure to find before it ends; kinds differ in more than numbers and names.</param>
    public static async Task<EconomyReport> RunAsync(
        int histories,
        int seed,
        int databases,
        Parts parts = Parts.All,
        Mutation? mutation = null,
        int maxFailures = 1
    )
    {
        var watch = Stopwatch.StartNew();
        var next = -1;
        var played = 0;
        var steps = 0L;
        var failures = new ConcurrentDictionary<string, Task<Failure>>();
        async Task PlayAsync()
        {
            while (failures.Count < maxFailures && Volatile.Read(ref next) < histories - 1)
            {
                await using var database = await EconomyDatabase.CreateAsync(mutation);
                for (var count = 0; count < HistoriesPerDatabase && failures.Count < maxFailures; count++)
                {
                    var number = Interlocked.Increment(ref next);
                    if (number >= histories)
                    {
                        return;
                    }
                    var found = await History.DrawAsync(database, unchecked(seed * 1_000_003 + number), parts, length => Interlocked.Add(ref steps, length));
                    Interlocked.Increment(ref played);
                    if (found is not null)
                    {
                        await failures.GetOrAdd(Numbers().Replace(found.What, "#"), _ => History.ShrinkAsync(found, mutation));
                        await database.EmptyAsync();
                    }
                }
            }
        }
        await Task.WhenAll(Enumerable.Range(0, databases).Select(_ => Task.Run(PlayAsync)));
        return new(seed, played, steps, watch.Elapsed.TotalSeconds, [.. await Task.WhenAll(failures.Values)]);
    }

    [GeneratedRegex("[A-Z]?[0-9a-f-]*[0-9][0-9a-f-]*|Ada|Bob|Mia")]
    private static partial Regex Numbers();
}
