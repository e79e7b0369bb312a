using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace Reelbase.Bench.Flood;

/// <summary>A server with small limits behind a proxy on loopback, ten times of all of them at once, and what became of it.</summary>
public sealed class FloodRun
{
    private const int QuietSeconds = 20;

    /// <summary>Connections that are opened at once; more would only fill the server's backlog.</summary>
    private const int OpenAtOnce = 200;

    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    private readonly FloodPlan _plan;
    private readonly Stage _stage;
    private readonly ConcurrentDictionary<(FloodKind, int Status), int> _answers = [];
    private readonly ConcurrentDictionary<int, (double First, double Last)> _gateTimes = [];
    private int _broken;
    private string? _why;

    private FloodRun(FloodPlan plan, Stage stage) => (_plan, _stage) = (plan, stage);

    public static async Task<FloodReport> RunAsync(int connections, int addresses, int seconds)
    {
        var plan = new FloodPlan(connections, addresses, seconds, Stage.Users - SignedInTraffic.Users);
        await using var stage = await Stage.PrepareAsync(
            new Dictionary<string, string>
            {
                ["REELBASE__Server__TrustedProxies__0"] = "127.0.0.1",
                ["REELBASE__Devices__NewDevicesPerWindow"] = $"{FloodPlan.DevicesPerAddress}",
                ["REELBASE__Generation__GuestPerWindow"] = $"{FloodPlan.GenerationsPerGuest}",
                ["REELBASE__Generation__MemberPerWindow"] = $"{FloodPlan.GenerationsPerGuest}",
                ["REELBASE__Flood__RequestsPerSecond"] = $"{FloodPlan.GatePerSecond}",
                ["REELBASE__Flood__BurstRequests"] = $"{FloodPlan.GateBurst}",
            }
        );
        return await new FloodRun(plan, stage).RunAsync(seconds);
    }

    private async Task<FloodReport> RunAsync(int seconds)
    {
        var load = File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0] : "unknown";
        // The job that each user of the stage has is not of this hour.
        await _stage.ExecuteAsync("update video_jobs set created_at = created_at - interval '1 day', completed_at = completed_at - interval '1 day'");
        Say("A server that has served: new devices, presses, refusals, catalogues");
        await AskAllAsync(FloodPlan.Before(_stage));
        Say("Signed-in users alone");
        var quietTime = TimeSpan.FromSeconds(Math.Min(seconds, QuietSeconds));
        using var users = await SignedInTraffic.StartAsync(_stage);
        // Once for warming up.
        await users.RunAsync(quietTime / 4);
        var quiet = await users.RunAsync(quietTime);

        Say($"Opening {_plan.Lanes.Count} connections, and asking once on each");
        // Before this process lowers its priority, so that it stands where the server does.
        using var bare = await BareRefusals.StartAsync();
        var alone = Resident();
        var lanes = await OpenAsync(_stage.Port);
        var open = Resident();
        foreach (var some in lanes.Index().Chunk(OpenAtOnce))
        {
            await Task.WhenAll(some.Select(lane => lane.Item.AskAsync(FloodPlan.Once(_stage, lane.Index), CancellationToken.None)));
        }
        await Task.Delay(Settle);
        Say("Signed-in users beside the open connections");
        var beside = await users.RunAsync(quietTime);
        Say($"{_plan.Requests} requests in {seconds} s from {_plan.Addresses + _plan.GateAddresses} addresses");
        // What is not answered in twice the time was not offered; that is said in the table.
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds((seconds * 2) + 30));
        var memory = new List<double>();
        var isOver = false;
        // Every connection is open and has been served once: what comes on top of this is the flood's.
        var served = Resident();
        var before = await FloodCosts.ReadAsync(_stage);
        LowerPriority();
        var watch = Stopwatch.StartNew();
        await users.GoAsync();
        var flood = Task.WhenAll(lanes.Select((lane, index) => DriveAsync(lane, index, watch, seconds, end.Token)));
        var sampling = Task.Run(async () =>
        {
            while (!Volatile.Read(ref isOver))
            {
                memory.Add(Resident());
                await Task.Delay(500);
            }
        });
        await flood;
        var took = watch.Elapsed.TotalSeconds;
        var costs = (await FloodCosts.ReadAsync(_stage)).Since(before);
        Volatile.Write(ref isOver, true);
        var flooded = await users.StopAsync();
        await sampling;
        lanes.ForEach(lane => lane.Dispose());
        await Task.Delay(Settle);
        var after = Resident();
        var ceiling = await MeasureCeilingAsync(users, bare, quietTime);

        // Refusals are written in the background.
        await Task.Delay(TimeSpan.FromSeconds(3));
        var report = new FloodReport
        {
            Load = load,
            Connections = _plan.Lanes.Count,
            Addresses = _plan.Addresses + _plan.GateAddresses,
            Seconds = took,
        };
        report.Offered(_plan.Requests, _answers.Values.Sum(), seconds);
        report.Accepted("new devices, by address in SQL", Good(FloodKind.Device), _plan.Addresses * FloodPlan.DevicesPerAddress);
        report.Accepted("generations, by guest in SQL", Good(FloodKind.Generation), _plan.Guests * FloodPlan.GenerationsPerGuest);
        // Tokens come back whole seconds at a time, and when the first second ends is the server's to say.
        double Allowed(Func<double, double> round) =>
            _gateTimes.Values.Sum(time => FloodPlan.GateBurst + (FloodPlan.GatePerSecond * round(time.Last - time.First)));
        report.Accepted("requests, by address at the gate", Good(FloodKind.Gate), Allowed(Math.Floor), Allowed(Math.Ceiling));
        report.NothingElse(
            _answers
                .Where(answer => answer.Key.Status is not (200 or 429))
                .ToDictionary(answer => $"{answer.Key.Item1} {answer.Key.Status}", answer => answer.Value),
            _broken,
            _why
        );
        report.Latency(quiet, beside, flooded, ceiling);
        report.Memory(alone, open, served, memory, after);
        report.Costs(costs, _answers.Where(answer => answer.Key.Status == 429).Sum(answer => answer.Value));
        await report.ErrorLogAsync(_stage, took);
        await using var connection = new NpgsqlConnection(_stage.Owner);
        await connection.OpenAsync();
        await using var ledger = new NpgsqlCommand("select count(*) from check_ledger()", connection);
        report.Ledger((long)(await ledger.ExecuteScalarAsync())!);
        return report;
    }

    /// <summary>The first part of the same flood at a server that only refuses, beside the same users of ours.</summary>
    private async Task<List<SignedInAnswer>> MeasureCeilingAsync(SignedInTraffic users, BareRefusals bare, TimeSpan time)
    {
        Say("The same flood at a bare Kestrel");
        var lanes = await OpenAsync(bare.Port);
        using var end = new CancellationTokenSource(time * 2);
        var watch = Stopwatch.StartNew();
        await users.GoAsync();
        await Task.WhenAll(lanes.Select((lane, index) => DriveAsync(lane, index, watch, time.TotalSeconds, end.Token, isCounted: false)));
        var answers = await users.StopAsync();
        lanes.ForEach(lane => lane.Dispose());
        return answers;
    }

    /// <summary>The flood's client stands behind whatever else runs here: it is many machines elsewhere, and not this one.</summary>
    private static void LowerPriority()
    {
        if (!Directory.Exists("/proc/self/task"))
        {
            return;
        }
        // Each thread by itself; those that begin later have the priority of who begins them.
        var start = new ProcessStartInfo(
            "renice",
            ["-n", "5", "-p", .. Directory.EnumerateDirectories("/proc/self/task").Select(path => Path.GetFileName(path))]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // Five more than it has.
            Environment = { ["POSIXLY_CORRECT"] = "1" },
        };
        using var renice = Process.Start(start);
        renice?.WaitForExit();
    }

    private async Task AskAllAsync(IEnumerable<byte[]> requests)
    {
        foreach (var some in requests.Chunk(OpenAtOnce))
        {
            await Task.WhenAll(
                some.Select(async request =>
                {
                    using var connection = new FloodConnection();
                    await connection.ConnectAsync(_stage.Port, CancellationToken.None);
                    await connection.AskAsync(request, CancellationToken.None);
                })
            );
        }
    }

    private int Good(FloodKind kind) => _answers.GetValueOrDefault((kind, 200));

    private async Task<List<FloodConnection>> OpenAsync(int port)
    {
        var lanes = _plan.Lanes.Select(_ => new FloodConnection()).ToList();
        foreach (var some in lanes.Chunk(OpenAtOnce))
        {
            await Task.WhenAll(some.Select(lane => lane.ConnectAsync(port, CancellationToken.None)));
        }
        return lanes;
    }

    private async Task DriveAsync(FloodConnection lane, int index, Stopwatch watch, double seconds, CancellationToken cancellationToken, bool isCounted = true)
    {
        var random = new Random(index);
        try
        {
            foreach (var request in _plan.Lanes[index].TakeWhile(request => request.AtSeconds <= seconds))
            {
                var wait = request.AtSeconds - watch.Elapsed.TotalSeconds;
                if (wait > 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds(wait), cancellationToken);
                }
                var asked = watch.Elapsed.TotalSeconds;
                var status = await lane.AskAsync(FloodPlan.Bytes(request, _stage, SignedInTraffic.Users, random), cancellationToken);
                if (!isCounted)
                {
                    continue;
                }
                _answers.AddOrUpdate((request.Kind, status), 1, (_, count) => count + 1);
                if (request.Kind == FloodKind.Gate)
                {
                    _gateTimes.AddOrUpdate(request.Address, (asked, asked), (_, time) => (Math.Min(time.First, asked), Math.Max(time.Last, asked)));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over.
        }
        catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException)
        {
            Interlocked.Increment(ref _broken);
            _why = error.Message;
        }
    }

    private double Resident()
    {
        using var process = Process.GetProcessById(_stage.ServerProcessId);
        return process.WorkingSet64 / 1024.0 / 1024.0;
    }

    private static void Say(string text) => System.Console.Error.WriteLine("==> " + text);
}
