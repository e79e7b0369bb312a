using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.Queue;

/// <summary>
/// Keeps the providers' queues every second: the marks that positions are looked up by, and jobs that were committed too late for the claims to see. On every node, since any of
/// them may end and one with the role api alone answers with positions too; <c>refresh_queues</c> lets one work on each provider at a time.
/// </summary>
public sealed class QueueKeeper(WorkerDatabase database, ILogger<QueueKeeper> logger) : PeriodicWork(logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken) => database.ExecuteAsync("select refresh_queues()", stoppingToken);
}
