using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;

namespace Reelbase.Bench.Faults;

/// <summary>The faults: which comes next is drawn from the seed, and each is over when its method returns, but for a node that stays frozen for a while.</summary>
public sealed class FaultActs(FaultWorld world, Random random, HttpClient control)
{
    private const double OutageShare = 0.5;

    // Leases last three seconds here (FaultWorld): a frozen node loses all of them.
    private const double MinFrozenSeconds = 3.5;
    private const double MaxFrozenSeconds = 9;
    private static readonly string[] OutageKinds = ["down", "hang", "drop", "unauthorized", "balance", "bad-gateway", "gateway-timeout"];
    private static readonly string[] OutageSystems = ["fal", "fal/fal-ai/pika", "runway", "devicecheck", "fal/files"];

    // Draws of one hundred: one of each kind first, so that a short campaign has all of them.
    private readonly Queue<int> _first = new(Shuffled([0, 45, 60, 65, 85, 93], random));
    private readonly ConcurrentDictionary<string, int> _counts = new();
    private readonly List<Task> _frozen = [];
    private double _restartSeconds;

    /// <summary>Whether each kind has been done once.</summary>
    public bool HasDoneAll => _first.Count == 0;

    public int Count(string what) => _counts.GetValueOrDefault(what);

    /// <summary>For the report.</summary>
    public IEnumerable<(string What, string Figure)> Figures =>
        _counts
            .OrderBy(count => count.Key)
            .Select(count => (count.Key, count.Value.ToString(CultureInfo.InvariantCulture)))
            .Append(
                (
                    "a restart took, on average",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{_restartSeconds / Math.Max(1, Count("kill -9 of a node") + Count("kill -9 of PostgreSQL")):0.0} s"
                    )
                )
            );

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", _counts.OrderBy(count => count.Key).Select(count => $"{count.Key} {count.Value}"));

    /// <summary>Waits a little and does the next one.</summary>
    public async Task NextAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(0.4 + random.NextDouble() * 1.6));
        _frozen.RemoveAll(task => task.IsCompleted);
        if (random.NextDouble() < OutageShare)
        {
            Add("outages of providers and Apple");
            await SetOutageAsync(OutageSystems[random.Next(OutageSystems.Length)], 0.5 + random.NextDouble() * 4, OutageKinds[random.Next(OutageKinds.Length)]);
        }
        var node = world.Nodes[random.Next(world.Nodes.Count)];
        var restart = Stopwatch.StartNew();
        switch (_first.TryDequeue(out var draw) ? draw : random.Next(100))
        {
            case < 45:
                await KillNodeAsync(node);
                await world.StartNodeAsync(node);
                _restartSeconds += restart.Elapsed.TotalSeconds;
                break;
            case < 60:
                Add("kill -9 of PostgreSQL");
                world.KillDatabase();
                await world.StartDatabaseAsync();
                _restartSeconds += restart.Elapsed.TotalSeconds;
                break;
            case < 65:
                Add("kill -9 of PostgreSQL");
                world.KillDatabase();
                await KillNodeAsync(node);
                await world.StartDatabaseAsync();
                await world.StartNodeAsync(node);
                _restartSeconds += restart.Elapsed.TotalSeconds;
                break;
            case < 85 when !node.IsFrozen:
                Add("a node frozen past its leases");
                _frozen.Add(FreezeAsync(node, MinFrozenSeconds + random.NextDouble() * (MaxFrozenSeconds - MinFrozenSeconds)));
                break;
            case < 93:
                Add("the database read-only");
                await world.SetReadOnlyAsync(true);
                await Task.Delay(TimeSpan.FromSeconds(1 + random.NextDouble() * 3));
                await world.SetReadOnlyAsync(false);
                break;
            default:
                if (world.Disk.IsMounted)
                {
                    Add("the disk full");
                    world.Disk.Fill();
                    await Task.Delay(TimeSpan.FromSeconds(1 + random.NextDouble() * 4));
                    world.Disk.Empty();
                }
                break;
        }
    }

    /// <summary>Everything is well again.</summary>
    public async Task EndAsync()
    {
        await Task.WhenAll(_frozen);
        foreach (var system in OutageSystems)
        {
            await SetOutageAsync(system, 0, "over");
        }
    }

    private static int[] Shuffled(int[] draws, Random random)
    {
        random.Shuffle(draws);
        return draws;
    }

    private static async Task FreezeAsync(FaultNode node, double seconds)
    {
        node.Freeze();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        node.Thaw();
    }

    private async Task KillNodeAsync(FaultNode node)
    {
        Add("kill -9 of a node");
        await node.KillAsync();
    }

    private async Task SetOutageAsync(string system, double seconds, string kind)
    {
        using var answer = await control.PostAsJsonAsync(
            "/_control/outage",
            new
            {
                system,
                seconds,
                kind,
            }
        );
    }

    private void Add(string what) => _counts.AddOrUpdate(what, 1, (_, count) => count + 1);
}
