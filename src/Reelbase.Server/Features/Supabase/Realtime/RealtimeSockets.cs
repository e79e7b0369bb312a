using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.WebSockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Jobs.Live;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>The sockets of this node, and the one clock for all of them.</summary>
internal sealed class RealtimeSockets : PeriodicWork
{
    private const int BurstSeconds = 10;
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);
    private static readonly Meter Meter = new("Reelbase.Realtime");
    private static readonly UpDownCounter<long> Open = Meter.CreateUpDownCounter<long>(
        "reelbase.realtime.sockets",
        "{socket}",
        "Open sockets of realtime clients"
    );

    private readonly ConcurrentDictionary<RealtimeSocket, byte> _sockets = [];
    private readonly PartitionedRateLimiter<IPAddress> _joins;
    private int _count;

    public RealtimeSockets(
        LiveHub hub,
        LiveConnections connections,
        AccessTokens tokens,
        RealtimeColumns columns,
        ChangeRecord records,
        TimeProvider clock,
        IOptions<RealtimeOptions> options,
        IHostApplicationLifetime lifetime,
        ILogger<RealtimeSockets> logger
    )
        : base(logger)
    {
        (Hub, Connections, Tokens, Columns, Records, Clock, Options) = (hub, connections, tokens, columns, records, clock, options.Value);
        _joins = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address =>
            RateLimitPartition.GetTokenBucketLimiter(
                address,
                _ =>
                    new()
                    {
                        TokenLimit = BurstSeconds * Options.JoinsPerSecondPerAddress,
                        TokensPerPeriod = Options.JoinsPerSecondPerAddress,
                        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                        QueueLimit = 0,
                    }
            )
        );
        lifetime.ApplicationStopping.Register(() => _ = CloseAllAsync());
    }

    /// <summary>Sockets that this server closed or dropped, by reason.</summary>
    public static Counter<long> Closed { get; } =
        Meter.CreateCounter<long>("reelbase.realtime.closed", "{socket}", "Sockets of realtime clients that ended, by reason");

    public LiveHub Hub { get; }
    public LiveConnections Connections { get; }
    public AccessTokens Tokens { get; }
    public RealtimeColumns Columns { get; }
    public ChangeRecord Records { get; }
    public TimeProvider Clock { get; }
    public RealtimeOptions Options { get; }

    /// <summary>Sockets now.</summary>
    public int Count => _count;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(1);

    /// <summary>Takes one of the node's places for a socket.</summary>
    /// <returns>Whether there was one; it is given back by <see cref="GiveBack"/>.</returns>
    public bool Take()
    {
        if (Interlocked.Increment(ref _count) > Options.SocketsPerNode)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }
        Open.Add(1);
        return true;
    }

    /// <summary>Gives a place back.</summary>
    public void GiveBack()
    {
        Interlocked.Decrement(ref _count);
        Open.Add(-1);
    }

    /// <summary>Runs a socket to its end.</summary>
    public async Task RunAsync(RealtimeSocket socket)
    {
        _sockets[socket] = 0;
        try
        {
            await socket.RunAsync();
        }
        finally
        {
            _sockets.TryRemove(socket, out _);
        }
    }

    /// <summary>Whether an address may make another join now.</summary>
    public bool TakeJoin(IPAddress? address)
    {
        using var lease = _joins.AttemptAcquire(ClientAddress.Network(address ?? IPAddress.None));
        return lease.IsAcquired;
    }

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var now = Clock.GetUtcNow().UtcDateTime;
        foreach (var socket in _sockets.Keys)
        {
            socket.Check(now);
        }
        return Task.CompletedTask;
    }

    /// <summary>Clients connect again as soon as they hear it; a stop does not wait for those who do not.</summary>
    private async Task CloseAllAsync()
    {
        foreach (var socket in _sockets.Keys)
        {
            socket.Close(WebSocketCloseStatus.EndpointUnavailable, "server_stops");
        }
        await Task.Delay(Farewell);
        foreach (var socket in _sockets.Keys)
        {
            socket.Drop("server_stops");
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _joins.Dispose();
        base.Dispose();
    }
}
