using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.GenerateVideo.Queue;

/// <summary>
/// Keeps each provider's queue every second: the marks that positions are looked up by, and jobs that were committed too late for the claims to see. On every worker
/// node, since any of them may end; <c>refresh_queue</c> lets one work at a time.
/// </summary>
public sealed class QueueKeeper(WorkerDatabase database, VideoProviders providers, ILogger<QueueKeeper> logger) : PeriodicWork(logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        foreach (var provider in providers.All)
        {
            await TryAsync(
                $"keep the queue of {provider.Name}",
                () => database.ExecuteAsync("select refresh_queue($1)", stoppingToken, provider.Name),
                stoppingToken
            );
        }
    }
}
