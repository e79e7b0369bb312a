using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Tests.Support;

/// <summary>A process of the previous release's program.</summary>
public sealed partial class OldNode : IAsyncDisposable
{
    private readonly Process _process;

    private OldNode(Process process, string url) => (_process, Url) = (process, url);

    /// <summary>Where it listens; it chose the port itself.</summary>
    public string Url { get; }

    /// <summary>Starts it and returns when it listens.</summary>
    public static async Task<OldNode> StartAsync(Dictionary<string, string?> settings)
    {
        var start = await InfoAsync();
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        foreach (var (key, value) in settings)
        {
            start.Environment["REELBASE__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        start.Environment["REELBASE__Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        var process = Process.Start(start)!;
        var listens = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var lines = new List<string>();
        void Read(string? line)
        {
            if (line is null)
            {
                return;
            }
            lock (lines)
            {
                lines.Add(line);
            }
            if (Listening().Match(line) is { Success: true } match)
            {
                listens.TrySetResult(match.Groups[1].Value);
            }
        }
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => listens.TrySetException(new InvalidOperationException("the old node ended"));
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            return new(process, await listens.Task.WaitAsync(Patience.Span));
        }
        catch (Exception error) when (error is TimeoutException or InvalidOperationException)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.WaitForExit();
            process.Dispose();
            lock (lines)
            {
                throw new InvalidOperationException($"{error.Message}: {string.Join('\n', lines)}", error);
            }
        }
    }

    /// <summary>A database as that program makes it.</summary>
    public static async Task<string> DatabaseAsync()
    {
        var owner = await TestCluster.EmptyAsync();
        var (code, output) = await RunAsync("migrate", "--database", owner);
        Assert.True(code == 0, output);
        return owner;
    }

    /// <summary>The same, brought up to date by this release.</summary>
    public static async Task<string> UpgradedDatabaseAsync()
    {
        var owner = await DatabaseAsync();
        Assert.Null((await new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None)).Older);
        return owner;
    }

    /// <summary>Runs one of its verbs to its end.</summary>
    public static async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        var start = await InfoAsync();
        foreach (var argument in args)
        {
            start.ArgumentList.Add(argument);
        }
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private static async Task<ProcessStartInfo> InfoAsync() =>
        new("dotnet", [await PreviousRelease.Recorded.ProgramAsync()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ASPNETCORE_ENVIRONMENT"] = "Development", ["DOTNET_TieredPGO"] = "0" },
        };

    [GeneratedRegex("Now listening on: (http://[^ ]+)")]
    private static partial Regex Listening();
}
