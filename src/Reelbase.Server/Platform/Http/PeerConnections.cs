using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Platform.Http;

/// <summary>
/// Counts the open connections of each address (an IPv6 /64) at this node, and closes what comes over <c>Server:ConnectionsPerAddress</c> before TLS or a byte
/// of it is read: silent connections cost memory, and no request of theirs ever reaches a limit. Behind a trusted proxy all callers share its address, so its connections are not counted.
/// </summary>
public sealed class PeerConnections(IOptions<ServerOptions> options, IHostEnvironment environment, TimeProvider clock, ILogger<PeerConnections> logger)
{
    private static readonly Meter Meter = new("Reelbase.Connections");
    private static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "reelbase.connections.refused",
        "{connection}",
        "Connections that were closed because their address had all of its own"
    );
    private static readonly TimeSpan WarningPause = TimeSpan.FromMinutes(1);

    private readonly int _limit = options.Value.ConnectionsPerAddress;
    private readonly IReadOnlyList<IPNetwork> _trusted = options.Value.TrustedNetworks(environment.IsDevelopment());
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _open = [];
    private long? _warned;

    /// <summary>Puts the count before everything else that an endpoint does with a connection.</summary>
    public static void Use(KestrelServerOptions kestrel) =>
        kestrel.ConfigureEndpointDefaults(endpoint =>
        {
            var connections = endpoint.ApplicationServices.GetRequiredService<PeerConnections>();
            if (connections._limit >= 0)
            {
                endpoint.Use(next => connection => connections.RunAsync(connection, next));
            }
        });

    /// <summary>Addresses of which a connection is open.</summary>
    internal int Known
    {
        get
        {
            lock (_lock)
            {
                return _open.Count;
            }
        }
    }

    private async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var peer } || IsTrusted(peer))
        {
            await next(connection);
            return;
        }
        var network = ClientAddress.Network(peer);
        if (!TryOpen(network))
        {
            Refuse(connection, network);
            return;
        }
        try
        {
            await next(connection);
        }
        finally
        {
            Close(network);
        }
    }

    private bool IsTrusted(IPAddress peer)
    {
        var plain = ClientAddress.Normalize(peer);
        return _trusted.Any(network => network.Contains(plain));
    }

    private bool TryOpen(IPAddress network)
    {
        lock (_lock)
        {
            var open = _open.GetValueOrDefault(network);
            if (open >= _limit)
            {
                return false;
            }
            _open[network] = open + 1;
            return true;
        }
    }

    private void Close(IPAddress network)
    {
        lock (_lock)
        {
            if (--_open[network] == 0)
            {
                _open.Remove(network);
            }
        }
    }

    private void Refuse(ConnectionContext connection, IPAddress network)
    {
        Refused.Add(1);
        connection.Abort(new ConnectionAbortedException("the address has all of its connections"));
        lock (_lock)
        {
            if (_warned is { } last && clock.GetElapsedTime(last) < WarningPause)
            {
                return;
            }
            _warned = clock.GetTimestamp();
        }
        // Without the address, which may be a person's; a proxy that nobody named has a log line of its own.
        logger.LogWarning(
            "An {Family} address has {Limit} connections open, and more of its are closed. If it is your proxy, name it in Server:TrustedProxies; if many phones share it, raise Server:ConnectionsPerAddress",
            network.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? "IPv4" : "IPv6",
            _limit
        );
    }
}
