using System.Diagnostics;

namespace Reelbase.Server.Platform.Work;

/// <summary>
/// Named places at which a test lets the whole process die, as a power cut would. Without a name configured (<c>Work:CrashAt</c>,
/// ignored in Production) passing one costs a comparison with null.
/// </summary>
public static class CrashPoints
{
    private static string? _armed;

    /// <summary>Every place, in the order in which a job passes them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "submission.claimed",
        "submission.intended",
        "submission.answered",
        "submission.recorded",
        "result.recorded",
        "video.downloaded",
        "video.stored",
        "video.completed",
    ];

    /// <summary>Chooses the place to die at; null for none.</summary>
    public static void Arm(string? name) =>
        _armed =
            name is null || All.Contains(name)
                ? name
                : throw new ArgumentException($"Work:CrashAt knows no {name}; there are {string.Join(", ", All)}", nameof(name));

    /// <summary>Passes a place.</summary>
    public static void Pass(string name)
    {
        if (_armed is not null && _armed == name)
        {
            // SIGKILL: no handler runs, no buffer is written, no connection says goodbye.
            using var self = Process.GetCurrentProcess();
            self.Kill();
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
