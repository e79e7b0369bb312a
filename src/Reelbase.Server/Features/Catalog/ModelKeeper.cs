using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Catalog;

/// <summary>Section <c>Catalog</c>: how the ends of models are watched.</summary>
public sealed class CatalogOptions
{
    /// <summary>Days before a model's <c>sunset_at</c> at which the operator is notified.</summary>
    [Range(0, 365)]
    public int SunsetAlertDays { get; set; } = 7;

    /// <summary>Seconds between checks for models whose end has come.</summary>
    [Range(1, 86_400)]
    public int SunsetLookSeconds { get; set; } = 60;
}

/// <summary>Ends models on the day that their vendor does, and notifies the operator before.</summary>
public sealed class ModelKeeper(WorkerDatabase database, IOptions<CatalogOptions> options, ILogger<ModelKeeper> logger) : PeriodicWork(logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(options.Value.SunsetLookSeconds);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (await database.ScalarAsync<string?>("select move_default_model()", stoppingToken) is { } active)
        {
            logger.LogWarning("{Model} is the active model now: requests that name only a theme use it", active);
        }
        foreach (var name in await database.ListAsync<string>("select name from retire_models($1)", stoppingToken, options.Value.SunsetAlertDays))
        {
            logger.LogCritical("{Model} has ended on its sunset_at and is no longer offered", name);
        }
    }
}
