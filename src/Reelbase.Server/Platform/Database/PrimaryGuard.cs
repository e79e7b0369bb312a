using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Asks from time to time whether each pool still leads to a server that takes writes. A call that writes notices by itself; this is for
/// pools that are only read from, which would go on showing what a former primary remembers.
/// </summary>
public sealed class PrimaryGuard(ApiDatabase api, WorkerDatabase worker, ILogger<PrimaryGuard> logger) : PeriodicWork(logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        foreach (var database in (RoleDatabase[])[api, worker])
        {
            if (!await database.IsWritableAsync(stoppingToken))
            {
                logger.LogWarning("The database takes no writes (a former primary?); its connections are dropped and requests are answered 503");
            }
        }
    }
}
