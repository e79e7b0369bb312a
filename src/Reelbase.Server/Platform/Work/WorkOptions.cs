using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Platform.Work;

/// <summary>Section <c>Work</c>: how durable work is taken and given back.</summary>
public sealed class WorkOptions
{
    /// <summary>How long a worker may hold a row without a sign of life. Prolonged at a third of it while work goes on.</summary>
    [Range(2, 600)]
    public int LeaseSeconds { get; set; } = 60;

    /// <summary>Pause between looks for work when nothing wakes a loop.</summary>
    [Range(20, 60_000)]
    public int IdleMilliseconds { get; set; } = 1000;

    /// <summary>Items one loop works on at once.</summary>
    [Range(1, 256)]
    public int MaxConcurrent { get; set; } = 16;

    /// <summary>Seconds that running items get to finish when the server stops.</summary>
    [Range(0, 120)]
    public int DrainSeconds { get; set; } = 10;

    /// <summary>For tests: the process dies when it passes this place (a name in <c>CrashPoints</c>). Ignored in Production.</summary>
    public string? CrashAt { get; set; }
}
