using System.Diagnostics;

namespace Reelbase.Tests.Support;

/// <summary>The server as a process of its own, so that it can be killed as the kernel kills.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Queue<string> _lastLines = new();
    private int _maxLines;
    private bool _isDisposed;

    private ServerProcess(Process process) => _process = process;

    /// <summary>Starts it and returns when it is ready.</summary>
    public static async Task<ServerProcess> StartAsync(string url, Dictionary<string, string?> settings, string logLevel = "Warning", int maxLines = 30)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = url,
                ["DOTNET_TieredPGO"] = "0",
            },
        };
        foreach (var (key, value) in settings)
        {
            start.Environment["REELBASE__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        start.Environment["REELBASE__Logging__LogLevel__Default"] = logLevel;
        var server = new ServerProcess(Process.Start(start)!) { _maxLines = maxLines };
        server._process.OutputDataReceived += (_, line) => server.Keep(line.Data);
        server._process.ErrorDataReceived += (_, line) => server.Keep(line.Data);
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        using var http = new HttpClient { BaseAddress = new Uri(url), Timeout = Patience.Span };
        await Eventually.IsAsync(
            async () =>
            {
                Assert.False(server._process.HasExited, $"the server ended: {server.LastLines}");
                try
                {
                    using var ready = await http.GetAsync("/health/ready");
                    return ready.IsSuccessStatusCode;
                }
                catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
                {
                    return false;
                }
            },
            isReady => isReady
        );
        return server;
    }

    /// <summary>Runs one of the program's verbs to its end.</summary>
    public static Task<(int Code, string Output)> RunAsync(params string[] args) => RunAsync([], args);

    /// <summary>The same with settings from the environment.</summary>
    public static async Task<(int Code, string Output)> RunAsync(Dictionary<string, string> environment, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Reelbase.Server.dll"), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["DOTNET_TieredPGO"] = "0",
                // A machine that is busy with other tests is no database that is away.
                ["REELBASE__Database__ConnectTimeoutSeconds"] = $"{TestCluster.PatienceSeconds}",
                ["REELBASE__Database__CommandTimeoutSeconds"] = $"{TestCluster.PatienceSeconds}",
            },
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    /// <summary>What it said last.</summary>
    public string LastLines
    {
        get
        {
            lock (_lastLines)
            {
                return string.Join('\n', _lastLines);
            }
        }
    }

    /// <summary>Memory that it has in use, in bytes, as the system counts it.</summary>
    public long ResidentBytes()
    {
        _process.Refresh();
        return _process.WorkingSet64;
    }

    /// <summary>Returns when it has died by itself.</summary>
    public async Task WaitForDeathAsync()
    {
        using var limit = Patience.Limit();
        await _process.WaitForExitAsync(limit.Token);
    }

    /// <summary>SIGTERM, and the end that follows.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", [_process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        await WaitForDeathAsync();
        // The readers have the last lines only when they have seen the end of the streams.
        _process.WaitForExit();
    }

    /// <summary>SIGSTOP: it keeps its memory, its connections and what it believes, and does nothing.</summary>
    public Task FreezeAsync() => SignalAsync("-STOP");

    /// <summary>SIGCONT: it goes on as if no time had passed.</summary>
    public Task ThawAsync() => SignalAsync("-CONT");

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }
        _isDisposed = true;
        if (!_process.HasExited)
        {
            await KillAsync();
        }
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (_lastLines)
        {
            if (line is not null)
            {
                _lastLines.Enqueue(line);
            }
            while (_lastLines.Count > _maxLines)
            {
                _lastLines.Dequeue();
            }
        }
    }
}
