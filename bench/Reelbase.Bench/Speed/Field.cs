namespace Reelbase.Bench.Speed;

/// <summary>A stage with everything that is measured beside it: reference, peer, meter; and the order of measuring.</summary>
public sealed class Field : IDisposable
{
    private const int Connections = 32;
    private const double WarmupSeconds = 2;

    private readonly Stage _stage;
    private readonly Pgbench _pgbench;
    private readonly Meter _meter;
    private readonly Peer? _peer;

    private Field(Stage stage, Peer? peer)
    {
        (_stage, _peer) = (stage, peer);
        _pgbench = new(stage);
        _meter = new(stage);
        Ground = new(stage, _pgbench);
    }

    public Ground Ground { get; }

    public static async Task<Field> PrepareAsync(Stage stage)
    {
        var field = new Field(stage, await Speed.Peer.StartAsync(stage));
        await field.Ground.LoadReferenceAsync();
        return field;
    }

    /// <summary>One of those that are measured alternately; it measures for so many seconds.</summary>
    public sealed record Contender(string Name, Func<double, Task<Sample>> MeasureAsync);

    public Task AgeAsync(int finished) => Ground.AgeAsync(finished, _peer is not null);

    /// <summary>PostgreSQL alone, asked by pgbench.</summary>
    public Contender Direct(string name, string login, string script) =>
        new(
            name,
            async seconds =>
            {
                await _meter.BeginAsync([]);
                var (perSecond, times) = await _pgbench.ForAsync(login, script, Connections, seconds);
                return await _meter.EndAsync([], perSecond, perSecond * Math.Max(1, Math.Round(seconds)), times);
            }
        );

    public Contender Ours(string name, Func<Random, byte[]> request) => Http(name, [_stage.Port], [_stage.ServerProcessId], request);

    /// <summary>Null where there is no peer.</summary>
    public Contender? Peer(string name, Func<Random, byte[]> request) => _peer is null ? null : Http(name, _peer.Ports, _peer.Processes, request);

    public Contender Http(string name, IReadOnlyList<int> ports, IReadOnlyList<int> processes, Func<Random, byte[]> request) =>
        new(
            name,
            async seconds =>
            {
                await _meter.BeginAsync(processes);
                var (times, took) = await LoadGenerator.RunAsync(ports, request, Connections, seconds);
                return await _meter.EndAsync(processes, times.Count / took, times.Count, times);
            }
        );

    /// <summary>Each once for warming up, then in turns, a checkpoint before each.</summary>
    public async Task<List<Series>> MeasureAsync(string what, double seconds, int rounds, params Contender?[] contenders)
    {
        var all = contenders.OfType<Contender>().Select(contender => (Contender: contender, Series: new Series(contender.Name, []))).ToList();
        System.Console.Error.WriteLine($"==> {what}");
        foreach (var (contender, _) in all)
        {
            await contender.MeasureAsync(Math.Min(seconds, WarmupSeconds));
        }
        for (var round = 1; round <= rounds; round++)
        {
            System.Console.Error.WriteLine($"==> {what}, round {round} of {rounds}");
            foreach (var (contender, series) in all)
            {
                await _stage.ExecuteAsync("checkpoint");
                series.Samples.Add(await contender.MeasureAsync(seconds));
            }
        }
        return [.. all.Select(each => each.Series)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _peer?.Dispose();
        _meter.Dispose();
    }
}
