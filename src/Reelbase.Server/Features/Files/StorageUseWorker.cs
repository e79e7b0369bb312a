using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Files;

/// <summary>Folds what changes of files have appended into one sum for each kind, and alerts when they reach a share of the capacity.</summary>
public sealed class StorageUseWorker(WorkerDatabase database, IOptions<StorageOptions> options, ILogger<StorageUseWorker> logger) : PeriodicWork(logger)
{
    private const int BatchRows = 10_000;
    private const int MaxBatches = 100;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(options.Value.UseSeconds);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        for (var batch = 0; batch < MaxBatches; batch++)
        {
            if (await database.ScalarAsync<long>("select fold_storage_use($1)", stoppingToken, BatchRows) < BatchRows)
            {
                break;
            }
        }
        if (
            await database.ScalarAsync<bool>(
                "select watch_storage_use($1, $2)",
                stoppingToken,
                options.Value.CapacityGigabytes * 1_000_000_000L,
                options.Value.AlertPercent
            )
        )
        {
            logger.LogWarning("Files take {Percent} % of Storage:CapacityGigabytes or more", options.Value.AlertPercent);
        }
    }
}
