using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Nodes;

/// <summary>Says every half minute that this process lives, for the console's list of nodes.</summary>
public sealed class NodeBeat(WorkerDatabase database, IOptions<ServerOptions> server, TimeProvider clock, ILogger<NodeBeat> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var name = $"{Environment.MachineName}/{Environment.ProcessId}";
        var version = typeof(NodeBeat).Assembly.GetName().Version?.ToString(3) ?? "0";
        var roles = new[] { "api", "worker", "admin" }.Where(server.Value.Has).ToArray();
        var started = clock.GetUtcNow().UtcDateTime;
        using var timer = new PeriodicTimer(Pause);
        do
        {
            try
            {
                await database.ExecuteAsync("select beat($1, $2, $3, $4)", stoppingToken, name, version, roles, started);
            }
            catch (NpgsqlException error)
            {
                logger.LogWarning("The database did not hear that this node lives ({Reason})", error.Message);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
