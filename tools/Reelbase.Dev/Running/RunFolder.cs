using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Reelbase.Dev.Running;

/// <summary>The folder of the data and who works on it: one run for one folder. What a killed run left behind (its server lives on) is taken over.</summary>
internal sealed partial class RunFolder(string path)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private const int PausesBeforeKill = 100;

    // As the script or as this program, which takes its place.
    [GeneratedRegex(@"reelbase(\.Dev\.dll)? run\b", RegexOptions.IgnoreCase)]
    private static partial Regex RunOfOurs();

    /// <summary>Where it is.</summary>
    public string Path { get; } = path;

    /// <summary>A file in it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Refuses while another run lives; that one is not ended by surprise.</summary>
    public void RefuseSecondRun(int own)
    {
        if (ReadProcess("run.pid") is { } process && process != own && RunOfOurs().IsMatch(CommandLineOf(process)))
        {
            throw Refusal.Fault(
                $"another ./reelbase run works on this data already (process {process}, {Path}): stop it there with Ctrl-C or here with 'kill {process}', or choose another folder with --data"
            );
        }
    }

    /// <summary>Our number into the file, unless another start was quicker. Checking and writing are one step: the system's lock ends with whoever holds it.</summary>
    public void Claim(int own)
    {
        using var held = Lock();
        RefuseSecondRun(own);
        WriteProcess("run.pid", own);
    }

    /// <summary>Whether the process of a file lives and is the program that is meant.</summary>
    public bool IsRunning(string file, string program) =>
        ReadProcess(file) is { } process && CommandLineOf(process).Contains(program, StringComparison.Ordinal);

    /// <summary>Ends a process that an earlier start left behind, if the number still belongs to it.</summary>
    public async Task TakeOverAsync(string file, string program)
    {
        var process = ReadProcess(file);
        var isOurs = IsRunning(file, program);
        Remove(file);
        if (!isOurs || process is not { } left)
        {
            return;
        }
        SystemCalls.RequestEnd(left);
        for (var pauses = 0; pauses < PausesBeforeKill && SystemCalls.IsAlive(left); pauses++)
        {
            await Task.Delay(Pause);
        }
        SystemCalls.Kill(left);
    }

    /// <summary>Writes a process's number.</summary>
    public void WriteProcess(string file, int process) => System.IO.File.WriteAllText(File(file), string.Create(CultureInfo.InvariantCulture, $"{process}\n"));

    /// <summary>Removes a file.</summary>
    public void Remove(string file) => System.IO.File.Delete(File(file));

    private FileStream Lock()
    {
        while (true)
        {
            try
            {
                // To nobody else, which the system keeps by a lock on the whole file.
                return new FileStream(File("run.lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
            }
            catch (IOException) when (Directory.Exists(Path))
            {
                Thread.Sleep(Pause);
            }
        }
    }

    private int? ReadProcess(string file) =>
        System.IO.File.Exists(File(file))
        && int.TryParse(System.IO.File.ReadAllText(File(file)).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var process)
            ? process
            : null;

    /// <summary>How a process was started; empty when there is none.</summary>
    private static string CommandLineOf(int process)
    {
        var start = new ProcessStartInfo("ps", ["-o", "args=", "-p", process.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true };
        using var ps = Process.Start(start)!;
        return ps.StandardOutput.ReadToEnd();
    }
}
