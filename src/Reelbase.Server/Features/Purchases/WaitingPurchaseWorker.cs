using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Purchases;

/// <summary>
/// Credits purchases that waited for their product, one after the other, and says at the start which products the caps of the sandbox are too
/// small for.
/// </summary>
public sealed class WaitingPurchaseWorker(WorkerDatabase database, IOptions<PurchasesOptions> options, ILogger<WaitingPurchaseWorker> logger)
    : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var hasReported = false;
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.WaitingPollSeconds));
        do
        {
            try
            {
                if (!hasReported)
                {
                    await ReportCapsAsync(stoppingToken);
                    hasReported = true;
                }
                while (await database.ScalarAsync<bool>("select credit_waiting_purchase($1::jsonb)", stoppingToken, options.Value.Policy)) { }
            }
            catch (NpgsqlException error)
            {
                logger.LogWarning("Waiting purchases could not be credited ({Reason}); trying again", error.Message);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
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
