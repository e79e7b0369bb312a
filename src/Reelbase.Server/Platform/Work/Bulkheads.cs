namespace Reelbase.Server.Platform.Work;

/// <summary>
/// The places of a work loop, parted by kinds of work: what hangs in one kind fills the places of that kind and no other's. Each kind has
/// its own limit, and a claim asks for what has room, so that no row is leased while it waits for a place.
/// </summary>
public sealed class Bulkheads(IReadOnlyDictionary<string, int> limits)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _taken = limits.Keys.ToDictionary(name => name, _ => 0, StringComparer.Ordinal);

    /// <summary>Free places of all kinds together.</summary>
    public int TotalAvailable
    {
        get
        {
            lock (_lock)
            {
                return limits.Sum(limit => Free(limit.Key));
            }
        }
    }

    /// <summary>Free places of a kind.</summary>
    public int Available(string name)
    {
        lock (_lock)
        {
            return Free(name);
        }
    }

    /// <summary>Takes a place for a row that is claimed already.</summary>
    public void Take(string name)
    {
        lock (_lock)
        {
            _taken[name]++;
        }
    }

    /// <summary>Gives a place back.</summary>
    public void Release(string name)
    {
        lock (_lock)
        {
            _taken[name]--;
        }
    }

    /// <summary>Exchanges a place for one of another kind; false when that has none free, and the old place is kept.</summary>
    public bool TryMove(string from, string to)
    {
        lock (_lock)
        {
            if (from != to && Free(to) == 0)
            {
                return false;
            }
            _taken[from]--;
            _taken[to]++;
            return true;
        }
    }

    private int Free(string name) => Math.Max(0, limits[name] - _taken[name]);
}
