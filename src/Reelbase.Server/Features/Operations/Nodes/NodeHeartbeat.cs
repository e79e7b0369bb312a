using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Operations.Nodes;

/// <summary>Says every half minute that this process lives, which program it is, and whom it met that it does not trust: for the console's list of nodes.</summary>
public sealed class NodeHeartbeat(
    WorkerDatabase database,
    IOptions<ServerOptions> server,
    ForwardingMonitor forwarding,
    TimeProvider clock,
    ILogger<NodeHeartbeat> logger
) : PeriodicWork(logger)
{
    private readonly string _name = $"{Environment.MachineName}/{Environment.ProcessId}";
    private readonly string[] _roles = new[] { "api", "worker", "admin" }.Where(server.Value.Has).ToArray();
    private readonly DateTime _started = clock.GetUtcNow().UtcDateTime;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken) =>
        database.ExecuteAsync(
            "select record_heartbeat($1, $2, $3, $4, $5::jsonb)",
            stoppingToken,
            _name,
            ProgramVersion.Release,
            _roles,
            _started,
            JsonSerializer.Serialize(
                new
                {
                    commit = ProgramVersion.Commit,
                    schema = ProgramVersion.Schema,
                    untrusted_peer = forwarding.Last?.Peer.ToString(),
                    untrusted_peer_at = forwarding.Last?.At.ToString("O", CultureInfo.InvariantCulture),
                }
            )
        );
}
