using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Reelbase.Dev;

/// <summary>What a shell can do with processes and .NET cannot.</summary>
internal static partial class SystemCalls
{
    private const int Hangup = 1;
    private const int Interrupt = 2;
    private const int KillSignal = 9;
    private const int Terminate = 15;
    private const nint IsIgnored = 1;

    /// <summary>Asks a process to end.</summary>
    public static void RequestEnd(int process) => _ = Signal(process, Terminate);

    /// <summary>Ends a process at once.</summary>
    public static void Kill(int process) => _ = Signal(process, KillSignal);

    /// <summary>Whether there is such a process.</summary>
    public static bool IsAlive(int process) => Signal(process, 0) == 0;

    /// <summary>Whether whoever started us has this signal ignored (<c>nohup</c>, a job in the background); a shell's traps leave it so, and so do we.</summary>
    public static bool Ignores(PosixSignal signal)
    {
        var number = signal switch
        {
            PosixSignal.SIGHUP => Hangup,
            PosixSignal.SIGINT => Interrupt,
            _ => Terminate,
        };
        var before = Handle(number, IsIgnored);
        if (before != IsIgnored)
        {
            _ = Handle(number, before);
        }
        return before == IsIgnored;
    }

    /// <summary>Another program takes this process's place, number and terminal, so that signals and exit code are its own. Returns only by a fault.</summary>
    public static void Replace(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        Console.Out.Flush();
        // Both lists end with a null pointer.
        string?[] words = ["dotnet", .. arguments, null];
        string?[] variables = [.. environment.Select(pair => $"{pair.Key}={pair.Value}"), null];
        _ = Execute(program, words, variables);
        throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Handle(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments, string?[] environment);
}
