using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Platform.Work;

/// <summary>Section <c>Work</c>: how durable work is taken and given back.</summary>
public sealed class WorkOptions
{
    /// <summary>How long a worker may hold a row without a sign of life. Prolonged at a third of it while work goes on.</summary>
    [Range(2, 600)]
    public int LeaseSeconds { get; set; } = 60;

    /// <summary>Pause between polls for work when nothing wakes a loop.</summary>
    [Range(20, 60_000)]
    public int IdleMilliseconds { get; set; } = 1000;

    /// <summary>Items one loop works on at once; video jobs have limits of their own for each provider.</summary>
    [Range(1, 256)]
    public int MaxConcurrent { get; set; } = 16;

    /// <summary>
    /// Seconds that running items get to finish when the server stops. At least the longest <c>SubmitTimeoutSeconds</c> of a configured provider:
    /// a submission that is broken off is ambiguous. The process manager has to wait longer than this before it kills.
    /// </summary>
    [Range(0, 600)]
    public int DrainSeconds { get; set; } = 40;

    /// <summary>
    /// Claims of one row without a result after which it is given up: it stays, dead, an alert goes out, and nothing waits behind it. Outboxes with a
    /// limit of attempts of their own use that one.
    /// </summary>
    [Range(1, 1000)]
    public int MaxAttempts { get; set; } = 30;

    /// <summary>For tests: the process dies when it passes this place (a name in <c>CrashPoints</c>). Ignored in Production.</summary>
    public string? CrashAt { get; set; }
}
