using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Reelbase.Server.Platform.Security;

/// <summary>Counts what the switch for shipped builds lets in without proof, until somebody writes it down.</summary>
public sealed class UnverifiedUses
{
    private static readonly Meter Meter = new("Reelbase.Unverified");
    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "reelbase.unverified.requests",
        "{request}",
        "Requests of shipped builds that were believed without proof, by kind"
    );

    private readonly ConcurrentDictionary<string, long> _uses = new(StringComparer.Ordinal);

    /// <summary>One more. Kinds are a fixed few.</summary>
    public void Add(string kind)
    {
        Requests.Add(1, new KeyValuePair<string, object?>("kind", kind));
        _uses.AddOrUpdate(kind, 1, (_, uses) => uses + 1);
    }

    /// <summary>What has come together since the last time.</summary>
    public IReadOnlyList<(string Kind, long Uses)> Take()
    {
        var taken = new List<(string, long)>();
        foreach (var kind in _uses.Keys)
        {
            if (_uses.TryRemove(kind, out var uses))
            {
                taken.Add((kind, uses));
            }
        }
        return taken;
    }
}
