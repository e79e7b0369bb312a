using System.Globalization;
using System.Net;
using Microsoft.Extensions.Options;
using Reelbase.Bench.Flood;
using Reelbase.Bench.Realtime;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Bench.Streams;

/// <summary>Event streams at one node: what one holds while nothing happens, what many of waiting jobs cost, and how long a change takes to its client.</summary>
public sealed class StreamsRun : IAsyncDisposable
{
    /// <summary>Jobs that wait at one provider and are watched.</summary>
    public const int WaitingJobs = 600;

    /// <summary>Jobs that are finished in a second.</summary>
    public const int JobsPerSecond = 500;

    /// <summary>Seconds in which nothing happens before anything is read.</summary>
    public const int RestSeconds = 10;

    private const int WarmUp = 200;
    private const int OpenAtOnce = 50;
    private static readonly TimeSpan OpenLimit = TimeSpan.FromMinutes(5);

    private readonly List<EventLink> _links = [];
    private FinishedJobs? _jobs;
    private int _open;

    private StreamsRun() { }

    public static async Task<StreamsReport> RunAsync(int streams, int watching, int seconds)
    {
        var report = new StreamsReport
        {
            LoadBefore = await LoadAsync(),
            Streams = streams,
            Watching = watching,
            Seconds = seconds,
        };
        // As many streams of as few waiting jobs as are asked for.
        await using (var stage = await Stage.PrepareAsync(new Dictionary<string, string> { ["REELBASE__Live__StreamsPerUser"] = "-1" }))
        {
            await using var run = new StreamsRun();
            await run.MeasureAsync(stage, report);
        }
        await BareAsync(streams, report);
        report.LoadAfter = await LoadAsync();
        return report;
    }

    private async Task MeasureAsync(Stage stage, StreamsReport report)
    {
        Say($"Making {report.Streams} users with a job each, and {WaitingJobs} jobs that wait");
        _jobs = new FinishedJobs(report.Streams, report.Streams);
        await _jobs.InsertAsync(stage);
        await stage.ExecuteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                insert into video_jobs (job_id, user_id, model_id, model_name, prompt, status, stage, credits_used, run_after, deadline_at)
                select ('00000000-0000-7000-9004-000000' || n)::uuid, ('00000000-0000-4000-8000-000000' || n)::uuid, '{Stage.Model}', 'Veo 3.1 Fast', 'A paper boat on a quiet lake',
                  'pending', 'queued', 8, now() + interval '1 day', now() + interval '1 day'
                from generate_series({Stage.FirstUser}, {Stage.FirstUser + WaitingJobs - 1}) n;
                analyze;
                """
            )
        );

        Say("Warming up");
        await WatchWaitingAsync(stage, Math.Min(WarmUp, report.Watching));
        await CloseAsync();
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds));
        var bare = await CostAsync(stage, report.Seconds);

        Say($"Opening {report.Watching} streams of {WaitingJobs} jobs that wait");
        await WatchWaitingAsync(stage, report.Watching);
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds));
        report.Waiting(bare, await CostAsync(stage, report.Seconds), Volatile.Read(ref _open));
        await CloseAsync();
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds));
        var idle = await ProcessMemory.CollectAsync(stage.ServerProcessId, stage.Port);

        Say($"Opening {report.Streams} streams of jobs that run");
        var users = Sign(stage, report.Streams);
        var took = System.Diagnostics.Stopwatch.StartNew();
        await OpenAsync(stage.Port, report.Streams, number => ($"/get-video-status?job_id={FinishedJobs.JobId(number)}", users[number]));
        report.Opened(_open, took.Elapsed.TotalSeconds);
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds));
        var resident = ProcessMemory.ResidentOf(stage.ServerProcessId);
        report.Memory(idle, resident, await ProcessMemory.CollectAsync(stage.ServerProcessId, stage.Port));
        report.Running(await CostAsync(stage, report.Seconds));
        report.Stayed(Volatile.Read(ref _open));

        Say($"Finishing {JobsPerSecond} jobs a second");
        var before = await FloodCosts.ReadAsync(stage);
        var changes = await _jobs.FinishAsync(stage, JobsPerSecond);
        report.Changes(changes, (await FloodCosts.ReadAsync(stage)).Since(before));
        for (var poll = 0; poll < 200 && Volatile.Read(ref _open) > 0; poll++)
        {
            await Task.Delay(50);
        }
        report.Ended(Volatile.Read(ref _open));
    }

    /// <summary>The same number of streams of a program that writes one event and nothing else.</summary>
    private static async Task BareAsync(int streams, StreamsReport report)
    {
        Say("Bare event streams of Kestrel");
        using var bare = await BareEcho.StartAsync();
        await using var run = new StreamsRun();
        var token = new string('x', 480);
        await run.OpenAsync(bare.Port, Math.Min(WarmUp, streams), number => ($"/get-video-status?job_id={FinishedJobs.JobId(number)}", token));
        await run.CloseAsync();
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds));
        var idle = await bare.CollectAsync();
        await run.OpenAsync(bare.Port, streams, number => ($"/get-video-status?job_id={FinishedJobs.JobId(number)}", token));
        await Task.Delay(TimeSpan.FromSeconds(RestSeconds));
        var resident = bare.Resident;
        report.Bare(idle, resident, await bare.CollectAsync());
    }

    /// <summary>Everybody who waits watches with as many streams as it takes.</summary>
    private Task WatchWaitingAsync(Stage stage, int count) =>
        OpenAsync(
            stage.Port,
            count,
            number => ($"/get-video-status?job_id=00000000-0000-7000-9004-000000{Stage.FirstUser + (number % WaitingJobs)}", stage.Tokens[number % WaitingJobs])
        );

    private static string[] Sign(Stage stage, int users)
    {
        var keys = Keys.Load(new SecurityOptions(), Path.Combine(stage.DataDirectory, "keys"), mayCreate: false);
        using var tokens = new AccessTokens(keys, Options.Create(new SecurityOptions()), Options.Create(new ServerOptions()), TimeProvider.System);
        return
        [
            .. Enumerable
                .Range(0, users)
                .Select(number => tokens.Create(new(FinishedJobs.UserId(number), FinishedJobs.SessionId(number), "anonymous", true, null)).Token),
        ];
    }

    private static async Task<FloodCosts> CostAsync(Stage stage, int seconds)
    {
        var before = await FloodCosts.ReadAsync(stage);
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        return (await FloodCosts.ReadAsync(stage)).Since(before);
    }

    private async Task OpenAsync(int port, int count, Func<int, (string Path, string Token)> stream)
    {
        using var limit = new CancellationTokenSource(OpenLimit);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce, CancellationToken = limit.Token },
            async (number, cancellationToken) =>
            {
                var (path, token) = stream(number);
                var link = await EventLink.OpenAsync(number, Source(number), port, path, token, cancellationToken);
                Interlocked.Increment(ref _open);
                lock (_links)
                {
                    _links.Add(link);
                }
                _ = ReadAsync(link);
            }
        );
    }

    private async Task ReadAsync(EventLink link)
    {
        await link.ReadAsync((_, text, at) => _jobs?.Note(text, at));
        Interlocked.Decrement(ref _open);
    }

    private async Task CloseAsync()
    {
        _links.ForEach(link => link.Dispose());
        _links.Clear();
        for (var poll = 0; poll < 100 && Volatile.Read(ref _open) > 0; poll++)
        {
            await Task.Delay(50);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await CloseAsync();

    // Only Linux answers on all of 127.0.0.0/8 by itself.
    private static IPAddress Source(int number) =>
        OperatingSystem.IsLinux() ? new([127, 0, 0, (byte)(2 + (number % RealtimeRun.Addresses))]) : IPAddress.Loopback;

    private static async Task<string> LoadAsync() => File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0] : "unknown";

    private static void Say(string text) => System.Console.Error.WriteLine("==> " + text);
}
