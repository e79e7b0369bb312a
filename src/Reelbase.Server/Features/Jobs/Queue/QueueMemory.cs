using System.Diagnostics;

namespace Reelbase.Server.Features.Jobs.Queue;

/// <summary>One lane as <c>read_queues</c> answers it.</summary>
/// <param name="Provider">Whose queue.</param>
/// <param name="Lane">premium, member or guest.</param>
/// <param name="Turns">Jobs that the provider was handed so far.</param>
/// <param name="Retries">Jobs that came back to the lane and are due.</param>
/// <param name="Keys">The next keys of the lane, in order, at most <see cref="QueueLane.MaxKeys"/>.</param>
/// <param name="MarkKeys">Keys further on in the lane; null when it has no marks.</param>
/// <param name="MarkRanks">How many jobs were before each of these when the marks were set.</param>
/// <param name="Waiting">How many jobs the lane had then.</param>
/// <param name="ServedSince">How many of them were handed out since.</param>
public sealed record QueueLane(
    string Provider,
    string Lane,
    long Turns,
    int Retries,
    long[] Keys,
    long[]? MarkKeys,
    int[]? MarkRanks,
    int? Waiting,
    long? ServedSince
)
{
    /// <summary>So many keys <c>read_queues</c> answers: positions up to a thousand are counted, and beyond them half of what is between two marks is at most 1 % off.</summary>
    public const int MaxKeys = 2048;

    /// <summary>Whether it is known how many jobs are before any key: all keys are here, or the marks go on where they end.</summary>
    public bool IsWhole => Keys.Length < MaxKeys || MarkKeys is { Length: > 0 };

    /// <summary>How many jobs wait in the lane.</summary>
    public long Length => Keys.Length < MaxKeys ? Keys.Length : Math.Max(MaxKeys, (Waiting ?? 0) - (ServedSince ?? 0));

    /// <summary>How many jobs of the lane wait before a key.</summary>
    public long Before(long key)
    {
        var index = Array.BinarySearch(Keys, key);
        index = index < 0 ? ~index : index;
        if (index < MaxKeys)
        {
            return index;
        }
        var mark = Array.BinarySearch(MarkKeys!, key);
        mark = mark < 0 ? ~mark - 1 : mark;
        if (mark < 0)
        {
            return MaxKeys;
        }
        var rank = MarkRanks![mark];
        var next = mark + 1 < MarkRanks.Length ? MarkRanks[mark + 1] : Waiting ?? rank;
        return Math.Max(MaxKeys, rank - (ServedSince ?? 0) + (next - rank) / 2);
    }
}

/// <summary>
/// What a node knows of long queues by heart, so that a position costs it a search and PostgreSQL nothing: the beginning of each lane and its marks, never older than two
/// seconds. <see cref="QueueReader"/> reads them as long as somebody asks. Whatever is not known is what <c>queue_position</c> is for.
/// </summary>
public sealed class QueueMemory
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Interest = TimeSpan.FromSeconds(10);

    private volatile Known _known = Known.Nothing;
    private long _askedAt;

    /// <summary>Whether a waiting job was asked for lately.</summary>
    public bool IsAsked => _askedAt != 0 && Stopwatch.GetElapsedTime(Interlocked.Read(ref _askedAt)) < Interest;

    /// <summary>What was read last.</summary>
    internal Known Latest => _known;

    /// <summary>What is known and new enough to answer with.</summary>
    public Known Current => _known is { } known && Stopwatch.GetElapsedTime(known.At) < MaxAge ? known : Known.Nothing;

    /// <summary>A waiting job was asked for.</summary>
    public void NoteAsked() => Interlocked.Exchange(ref _askedAt, Stopwatch.GetTimestamp());

    /// <summary>Takes what was read in place of what was known.</summary>
    /// <param name="lanes">The lanes.</param>
    /// <param name="at">A timestamp from before they were read.</param>
    public void Keep(IEnumerable<QueueLane> lanes, long at) => _known = new(lanes, at);

    /// <summary>The queues at one moment.</summary>
    public sealed class Known
    {
        private readonly Dictionary<string, ProviderQueue> _queues;

        internal Known(IEnumerable<QueueLane> lanes, long at)
        {
            At = at;
            _queues = lanes
                .GroupBy(lane => lane.Provider)
                .Where(queue => queue.All(lane => lane.IsWhole))
                .ToDictionary(queue => queue.Key, queue => new ProviderQueue(queue.ToDictionary(lane => lane.Lane)));
            Providers = [.. _queues.Keys];
        }

        internal static Known Nothing { get; } = new([], 0);

        /// <summary>A timestamp from before it was read.</summary>
        internal long At { get; }

        /// <summary>Providers whose queues are known.</summary>
        public string[] Providers { get; }

        /// <summary>Waiting jobs ahead of one that waits in a lane with a key, from 0, as <c>queue_position</c> says it of a job that never was handed out.</summary>
        public int Position(string provider, string lane, long key) => (int)_queues[provider].Position(lane == "premium", key);
    }

    private sealed class ProviderQueue(Dictionary<string, QueueLane> lanes)
    {
        private readonly QueueLane _premium = lanes["premium"];
        private readonly QueueLane _member = lanes["member"];
        private readonly QueueLane _guest = lanes["guest"];

        public long Position(bool isPremium, long key)
        {
            var served = _premium.Turns;
            var others = _member.Retries + _guest.Retries;
            var (rank, retries) = isPremium ? (_premium.Before(key), _premium.Retries) : (_member.Before(key) + _guest.Before(key), others);
            // In a tier, what comes back and what is new alternate.
            rank += Math.Min(retries, rank + (served / 4 % 2 == 0 ? 1 : 0));
            // Of four jobs three are premium's, as long as both tiers wait.
            return isPremium
                ? rank + Math.Min((served % 4 + rank) / 3, _member.Length + _guest.Length + others)
                : rank + Math.Min(3 - served % 4 + 3 * rank, _premium.Length + _premium.Retries);
        }
    }
}
