using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Purchases;

/// <summary>
/// Credits purchases that waited for their product, one after the other, and says at the start which products the caps of the sandbox are too
/// small for.
/// </summary>
public sealed class WaitingPurchaseWorker(WorkerDatabase database, IOptions<PurchasesOptions> options, ILogger<WaitingPurchaseWorker> logger)
    : PeriodicWork(logger)
{
    private bool _hasReported;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(options.Value.WaitingPollSeconds);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (!_hasReported)
        {
            await ReportCapsAsync(stoppingToken);
            _hasReported = true;
        }
        while (await database.ScalarAsync<bool>("select credit_waiting_purchase($1::jsonb)", stoppingToken, options.Value.Policy)) { }
    }

    private async Task ReportCapsAsync(CancellationToken cancellationToken)
    {
        foreach (
            var product in await database.ListAsync<CappedProduct>("select * from report_sandbox_caps($1::jsonb)", cancellationToken, options.Value.Policy)
        )
        {
            logger.LogWarning(
                "The product {Product} gives {Credits} credits, more than sandbox purchases may give ({PerUser} a user, {PerDay} a day): App Review would see its purchase fail",
                product.ProductId,
                product.Credits,
                product.PerUser,
                product.PerDay
            );
        }
    }

    private sealed record CappedProduct(string ProductId, int Credits, long PerUser, long PerDay);
}
