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
        Say("Signed-in users alone");
        var watch = Stopwatch.StartNew();
        // Once for warming up.
        await SignedInTraffic.RunAsync(_stage, () => watch.Elapsed.TotalSeconds > Math.Min(seconds, QuietSeconds) / 4.0);
        watch.Restart();
        var quiet = await SignedInTraffic.RunAsync(_stage, () => watch.Elapsed.TotalSeconds > Math.Min(seconds, QuietSeconds));

        Say($"Opening {_plan.Lanes.Count} connections");
        var lanes = await OpenAsync();
        Say($"{_plan.Requests} requests in {seconds} s from {_plan.Addresses + _plan.GateAddresses} addresses");
        // What is not answered in twice the time was not offered; that is said in the table.
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds((seconds * 2) + 30));
        var memory = new List<double>();
        var isOver = false;
        // Every connection is open and nothing has been asked on it: what comes on top of this is the flood's.
        var open = Resident();
        var before = await FloodCosts.ReadAsync(_stage);
        watch.Restart();
        var flood = Task.WhenAll(lanes.Select((lane, index) => DriveAsync(lane, index, watch, end.Token)));
        var sampling = Task.Run(async () =>
        {
            while (!Volatile.Read(ref isOver))
            {
                memory.Add(Resident());
                await Task.Delay(500);
            }
        });
        var users = SignedInTraffic.RunAsync(_stage, () => Volatile.Read(ref isOver));
        await flood;
        var took = watch.Elapsed.TotalSeconds;
        var costs = (await FloodCosts.ReadAsync(_stage)).Since(before);
        Volatile.Write(ref isOver, true);
        var flooded = await users;
        await sampling;
        lanes.ForEach(lane => lane.Dispose());

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
        report.Latency(quiet, flooded);
        report.Memory(open, memory);
        report.Costs(costs, _answers.Where(answer => answer.Key.Status == 429).Sum(answer => answer.Value));
        await report.ErrorLogAsync(_stage, took);
        await using var connection = new NpgsqlConnection(_stage.Owner);
        await connection.OpenAsync();
        await using var ledger = new NpgsqlCommand("select count(*) from check_ledger()", connection);
        report.Ledger((long)(await ledger.ExecuteScalarAsync())!);
        return report;
    }

    private int Good(FloodKind kind) => _answers.GetValueOrDefault((kind, 200));

    private async Task<List<FloodConnection>> OpenAsync()
    {
        var lanes = _plan.Lanes.Select(_ => new FloodConnection()).ToList();
        foreach (var some in lanes.Chunk(OpenAtOnce))
        {
            await Task.WhenAll(some.Select(lane => lane.ConnectAsync(_stage.Port, CancellationToken.None)));
        }
        return lanes;
    }

    private async Task DriveAsync(FloodConnection lane, int index, Stopwatch watch, CancellationToken cancellationToken)
    {
        var random = new Random(index);
        try
        {
            foreach (var request in _plan.Lanes[index])
            {
                var wait = request.AtSeconds - watch.Elapsed.TotalSeconds;
                if (wait > 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds(wait), cancellationToken);
                }
                var asked = watch.Elapsed.TotalSeconds;
                var status = await lane.AskAsync(FloodPlan.Bytes(request, _stage, SignedInTraffic.Users, random), cancellationToken);
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
