using System.Diagnostics;
using System.Runtime.InteropServices;
using Reelbase.Simulators;

namespace Reelbase.Bench.Faults;

/// <summary>One server in a process of its own, on an address that outlives it. Its process can be killed, and frozen as a paging or migrating machine freezes one.</summary>
public sealed partial class FaultNode(string name) : IDisposable
{
    private const int ReadyLimitSeconds = 180;
    private const int MaxLines = 200;

    // The numbers differ between Linux and BSD.
    private static readonly int SigStop = OperatingSystem.IsMacOS() ? 17 : 19;
    private static readonly int SigContinue = OperatingSystem.IsMacOS() ? 19 : 18;

    private readonly LoopbackAddress _address = LoopbackAddress.Hold();
    private Process? _process;

    public string Name { get; } = name;
    public string Url => _address.Url;
    public bool IsFrozen { get; private set; }

    /// <summary>What it said last, for a campaign that fails.</summary>
    public List<string> Lines { get; } = [];

    /// <summary>Starts the server and returns when it is ready, or when it has been killed meanwhile.</summary>
    public async Task StartAsync(Dictionary<string, string> settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }
        start.Environment["ASPNETCORE_URLS"] = Url;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var watch = Stopwatch.StartNew();
        var said = "";
        while (watch.Elapsed.TotalSeconds < ReadyLimitSeconds)
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"{Name} ended at its start: {string.Join('\n', Lines.TakeLast(10))}");
            }
            try
            {
                using var answer = await http.GetAsync(Url + "/health/ready");
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
                said = await answer.Content.ReadAsStringAsync();
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                // Not yet.
            }
            await Task.Delay(20);
        }
        throw new InvalidOperationException($"{Name} was not ready in time ({said}): {string.Join('\n', Lines.TakeLast(10))}");
    }

    /// <summary>kill -9; a frozen process dies of it too.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            IsFrozen = false;
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    /// <summary>kill -STOP: no thread of it runs, and its connections stay open.</summary>
    public void Freeze()
    {
        if (_process is { HasExited: false } process && Signal(process.Id, SigStop) == 0)
        {
            IsFrozen = true;
        }
    }

    /// <summary>kill -CONT: it goes on in the middle of whatever it did, and does not know that time has passed.</summary>
    public void Thaw()
    {
        if (_process is { HasExited: false } process)
        {
            _ = Signal(process.Id, SigContinue);
        }
        IsFrozen = false;
    }

    /// <inheritdoc/>
    public void Dispose() => _address.Dispose();

    private void Keep(string? line)
    {
        lock (Lines)
        {
            if (line is not null)
            {
                Lines.Add(line);
                if (Lines.Count > MaxLines)
                {
                    Lines.RemoveAt(0);
                }
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int pid, int signal);
}
