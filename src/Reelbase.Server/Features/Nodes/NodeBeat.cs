using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Nodes;

/// <summary>Says every half minute that this process lives, for the console's list of nodes.</summary>
public sealed class NodeBeat(WorkerDatabase database, IOptions<ServerOptions> server, TimeProvider clock, ILogger<NodeBeat> logger) : PeriodicWork(logger)
{
    private static readonly string Version = typeof(NodeBeat).Assembly.GetName().Version?.ToString(3) ?? "0";
    private readonly string _name = $"{Environment.MachineName}/{Environment.ProcessId}";
    private readonly string[] _roles = new[] { "api", "worker", "admin" }.Where(server.Value.Has).ToArray();
    private readonly DateTime _started = clock.GetUtcNow().UtcDateTime;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken) =>
        database.ExecuteAsync("select beat($1, $2, $3, $4)", stoppingToken, _name, Version, _roles, _started);
}
