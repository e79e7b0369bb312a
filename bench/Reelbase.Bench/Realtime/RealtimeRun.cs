using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Bench.Flood;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Bench.Realtime;

/// <summary>Clients of Supabase's channels at one server: what a connection holds there, and how long a change takes to them.</summary>
public sealed class RealtimeRun : IAsyncDisposable
{
    /// <summary>Jobs that are finished in a second.</summary>
    public const int JobsPerSecond = 100;

    /// <summary>Loopback addresses that clients come from: each has ports, connections and joins a second of its own.</summary>
    public const int Addresses = 10;

    /// <summary>Seconds between two heartbeats of a client, as the SDKs send them.</summary>
    public const int HeartbeatSeconds = 25;

    /// <summary>Seconds in which nothing happens before memory is read.</summary>
    public const int RestSeconds = 10;

    private const int WarmUp = 200;
    private const int OpenAtOnce = 100;
    private const int NotifySeconds = 15;
    private static readonly TimeSpan JoinLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OpenLimit = TimeSpan.FromMinutes(5);
    private static readonly byte[] Heartbeat = Encoding.UTF8.GetBytes("""[null,"2","phoenix","heartbeat",{}]""");

    private readonly int _connections;
    private readonly int _seconds;
    private readonly SocketLink?[] _links;
    private readonly TaskCompletionSource<string?>?[] _joins;
    private FinishedJobs? _jobs;
    private int _open;

    private RealtimeRun(int connections, int seconds)
    {
        (_connections, _seconds) = (connections, seconds);
        _links = new SocketLink?[connections];
        _joins = new TaskCompletionSource<string?>?[connections];
    }

    public static async Task<RealtimeReport> RunAsync(int connections, int seconds)
    {
        var report = new RealtimeReport
        {
            LoadBefore = await LoadAsync(),
            Connections = connections,
            Seconds = seconds,
        };
        await using (var stage = await Stage.PrepareAsync())
        {
            await using var run = new RealtimeRun(connections, seconds);
            await run.MeasureAsync(stage, report);
        }
        await EchoAsync(connections, report);
        report.LoadAfter = await LoadAsync();
        return report;
    }

    private async Task MeasureAsync(Stage stage, RealtimeReport report)
    {
        Say($"Making {_connections} users, and {_seconds * JobsPerSecond} jobs to finish");
        _jobs = new FinishedJobs(_connections, _seconds * JobsPerSecond);
        await _jobs.InsertAsync(stage);
        var (path, joins) = Sign(stage);
        using var stop = new CancellationTokenSource();

        Say("Warming up");
        await OpenAsync(stage.Port, path, joins, Math.Min(WarmUp, _connections));
        await CloseAsync();
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds), stop.Token);
        var idle = await ProcessMemory.CollectAsync(stage.ServerProcessId, stage.Port);

        Say($"Opening {_connections} connections");
        var heartbeats = HeartbeatAsync(stop.Token);
        var took = System.Diagnostics.Stopwatch.StartNew();
        await OpenAsync(stage.Port, path, joins, _connections);
        report.Opened(_open, took.Elapsed.TotalSeconds);
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds), stop.Token);
        var resident = ProcessMemory.ResidentOf(stage.ServerProcessId);
        var open = await ProcessMemory.CollectAsync(stage.ServerProcessId, stage.Port);
        report.Memory(idle, resident, open);

        Say($"Finishing {JobsPerSecond} jobs a second for {_seconds} s");
        var before = await FloodCosts.ReadAsync(stage);
        var changes = await _jobs.FinishAsync(stage, JobsPerSecond);
        report.Changes(changes, (await FloodCosts.ReadAsync(stage)).Since(before));
        report.Resident(ProcessMemory.ResidentOf(stage.ServerProcessId));

        Say("PostgreSQL's own notifications");
        report.Notifications(await FinishedJobs.NotifyAsync(stage, Math.Min(_seconds, NotifySeconds) * JobsPerSecond, JobsPerSecond));
        report.Stayed(Volatile.Read(ref _open));
        await stop.CancelAsync();
        await heartbeats;
        await CloseAsync();
    }

    /// <summary>The same number of connections of a program that only echoes.</summary>
    private static async Task EchoAsync(int connections, RealtimeReport report)
    {
        Say("A bare echo of Kestrel");
        using var echo = await BareEcho.StartAsync();
        await using var run = new RealtimeRun(connections, 0);
        var hello = Enumerable.Range(0, connections).Select(_ => Heartbeat).ToArray();
        await run.OpenAsync(echo.Port, "/", hello, Math.Min(WarmUp, connections));
        await run.CloseAsync();
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds));
        var idle = await echo.CollectAsync();
        await run.OpenAsync(echo.Port, "/", hello, connections);
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds));
        var resident = echo.Resident;
        report.Echo(idle, resident, await echo.CollectAsync());
    }

    /// <summary>What each client says first: its own token, its own jobs and its own row.</summary>
    private (string Path, byte[][] Joins) Sign(Stage stage)
    {
        var keys = Keys.Load(new SecurityOptions(), Path.Combine(stage.DataDirectory, "keys"), mayCreate: false);
        using var tokens = new AccessTokens(keys, Options.Create(new SecurityOptions()), Options.Create(new ServerOptions()), TimeProvider.System);
        var joins = Enumerable
            .Range(0, _connections)
            .Select(number =>
            {
                var user = FinishedJobs.UserId(number);
                var token = tokens.Create(new(user, FinishedJobs.SessionId(number), "anonymous", true, null)).Token;
                return Encoding.UTF8.GetBytes(
                    $$$"""
                    ["1","1","realtime:mine","phx_join",{"config":{"broadcast":{"ack":false,"self":false},"presence":{"key":"","enabled":false},"postgres_changes":[{"event":"*","schema":"public","table":"video_jobs","filter":"user_id=eq.{{{user}}}"},{"event":"UPDATE","schema":"public","table":"users","filter":"id=eq.{{{user}}}"}],"private":false},"access_token":{{{JsonSerializer.Serialize(
                        token
                    )}}}}]
                    """
                );
            })
            .ToArray();
        return ($"/realtime/v1/websocket?apikey={tokens.CreateAnonKey()}&vsn=2.0.0", joins);
    }

    private async Task OpenAsync(int port, string path, byte[][] joins, int count)
    {
        using var limit = new CancellationTokenSource(OpenLimit);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce, CancellationToken = limit.Token },
            async (number, cancellationToken) =>
            {
                var link = await SocketLink.OpenAsync(number, Source(number), port, path, cancellationToken);
                var answer = _joins[number] = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
                _ = ReadAsync(link);
                link.Send(joins[number]);
                var refusal = await answer.Task.WaitAsync(JoinLimit, cancellationToken);
                _joins[number] = null;
                _links[number] = refusal is null ? link : throw new InvalidOperationException("a client could not join: " + refusal);
            }
        );
    }

    private async Task ReadAsync(SocketLink link)
    {
        Interlocked.Increment(ref _open);
        await link.ReadAsync(Received);
        Interlocked.Decrement(ref _open);
    }

    private void Received(int number, ReadOnlySpan<byte> text, long at)
    {
        if (Volatile.Read(ref _joins[number]) is { } join)
        {
            join.TrySetResult(text.IndexOf("\"status\":\"error\""u8) >= 0 ? Encoding.UTF8.GetString(text) : null);
        }
        else
        {
            _jobs?.Note(text, at);
        }
    }

    /// <summary>Every client's heartbeats, spread over their time.</summary>
    private async Task HeartbeatAsync(CancellationToken cancellationToken)
    {
        const int stepsPerSecond = 10;
        var each = (_connections / (HeartbeatSeconds * stepsPerSecond)) + 1;
        try
        {
            for (var at = 0; ; )
            {
                await Task.Delay(1000 / stepsPerSecond, cancellationToken);
                for (var step = 0; step < each; step++, at = (at + 1) % _connections)
                {
                    try
                    {
                        _links[at]?.Send(Heartbeat);
                    }
                    catch (SocketException)
                    {
                        // Counted by whoever reads it.
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over.
        }
    }

    private async Task CloseAsync()
    {
        for (var number = 0; number < _links.Length; number++)
        {
            _links[number]?.Dispose();
            _links[number] = null;
        }
        for (var pause = 0; pause < 100 && Volatile.Read(ref _open) > 0; pause++)
        {
            await Task.Delay(50);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await CloseAsync();

    // Only Linux answers on all of 127.0.0.0/8 by itself.
    private static IPAddress Source(int number) => OperatingSystem.IsLinux() ? new([127, 0, 0, (byte)(2 + (number % Addresses))]) : IPAddress.Loopback;

    private static async Task<string> LoadAsync() => File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0] : "unknown";

    private static void Say(string text) => System.Console.Error.WriteLine("==> " + text);
}
