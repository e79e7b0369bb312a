using System.Collections.Concurrent;
using System.Text.Json;

namespace Reelbase.Simulators.Fal;

/// <summary>One request at the pretend fal.</summary>
public sealed class FalRequest
{
    public required string Id { get; init; }
    public required string ModelId { get; init; }
    public required JsonElement Input { get; init; }
    public required string Prompt { get; init; }
    public required Directives Directives { get; init; }
    public required DateTime SubmittedAt { get; init; }
    public required DateTime DoneAt { get; set; }
    public required string FileUrl { get; init; }
    public string? WebhookUrl { get; init; }
    public bool IsCancelled { get; set; }

    /// <summary>What is wrong with its picture, once that was fetched.</summary>
    public required Task<SchemaFault?> PictureFault { get; init; }

    /// <summary>Done now, however long it was to take.</summary>
    public void Finish() => DoneAt = DateTime.UtcNow;

    /// <summary>Answers that are not fal's own.</summary>
    public RudeReads Rude { get; } = new();

    private int _reads;

    /// <summary>True for the first fetch of its video.</summary>
    public bool IsFirstRead() => Interlocked.Increment(ref _reads) == 1;

    private int _statusReads;

    /// <summary>Its status is read; one that goes by steps moves on with that, so that no clock decides which states a client sees.</summary>
    public void NoteStatusRead() => Interlocked.Increment(ref _statusReads);

    public string State =>
        IsCancelled ? "COMPLETED"
        : Directives.Has("steps")
            ? _statusReads switch
            {
                <= 1 => "IN_QUEUE",
                2 => "IN_PROGRESS",
                _ => "COMPLETED",
            }
        : DateTime.UtcNow >= DoneAt ? "COMPLETED"
        : (DateTime.UtcNow - SubmittedAt).TotalMilliseconds < 200 ? "IN_QUEUE"
        : "IN_PROGRESS";
}

/// <summary>Everything that the pretend fal remembers.</summary>
public sealed class FalState
{
    public ConcurrentDictionary<string, FalRequest> Requests { get; } = new();

    /// <summary>How often a prompt was refused on purpose so far.</summary>
    public ConcurrentDictionary<string, int> Refusals { get; } = new();

    public void Reset()
    {
        Requests.Clear();
        Refusals.Clear();
    }
}
