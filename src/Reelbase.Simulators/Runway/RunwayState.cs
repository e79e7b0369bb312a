using System.Collections.Concurrent;
using System.Text.Json;

namespace Reelbase.Simulators.Runway;

/// <summary>One task at the pretend Runway.</summary>
public sealed class RunwayTask
{
    public required string Id { get; init; }
    public required string Path { get; init; }
    public required JsonElement Input { get; init; }
    public required string Prompt { get; init; }
    public required Directives Directives { get; init; }
    public required DateTime CreatedAt { get; init; }
    public required DateTime DoneAt { get; init; }
    public required int Credits { get; init; }

    /// <summary>Answers that are not Runway's own.</summary>
    public RudeReads Rude { get; } = new();

    /// <summary>Cancelled, and still there to be read.</summary>
    public bool IsCancelled { get; set; }

    private int _reads;

    /// <summary>True for the first fetch of its video.</summary>
    public bool IsFirstRead() => Interlocked.Increment(ref _reads) == 1;

    /// <summary>When its status was read.</summary>
    public ConcurrentQueue<DateTime> Polls { get; } = new();

    public string Status =>
        IsCancelled ? "CANCELED"
        : Directives.Has("steps")
            ? Polls.Count switch
            {
                // No clock decides which states a client sees.
                <= 1 => "PENDING",
                2 => "THROTTLED",
                3 => "RUNNING",
                _ => "SUCCEEDED",
            }
        : DateTime.UtcNow >= DoneAt ? (Directives.Has("reject") || Directives.Has("fail") ? "FAILED" : "SUCCEEDED")
        : DateTime.UtcNow < CreatedAt + ((DoneAt - CreatedAt) / 4) ? "PENDING"
        : DateTime.UtcNow < CreatedAt + ((DoneAt - CreatedAt) / 2) ? "THROTTLED"
        : "RUNNING";

    /// <summary>The shortest time between two polls, in seconds; null before the second.</summary>
    public double? ShortestPollSeconds
    {
        get
        {
            var times = Polls.ToArray();
            return times.Length < 2 ? null : times.Zip(times.Skip(1), (first, second) => (second - first).TotalSeconds).Min();
        }
    }
}

/// <summary>Everything that the pretend Runway remembers.</summary>
public sealed class RunwayState
{
    private const int StartCredits = 1_000_000;

    /// <summary>Tasks by id; one that was deleted is gone.</summary>
    public ConcurrentDictionary<string, RunwayTask> Tasks { get; } = new();

    /// <summary>Every task that ever was, for the control call.</summary>
    public ConcurrentQueue<RunwayTask> Created { get; } = new();

    /// <summary>How often a prompt was refused on purpose so far.</summary>
    public ConcurrentDictionary<string, int> Refusals { get; } = new();

    /// <summary>What the account has left.</summary>
    public int Credits { get; set; } = StartCredits;

    public void Reset()
    {
        Tasks.Clear();
        Created.Clear();
        Refusals.Clear();
        Credits = StartCredits;
    }
}
