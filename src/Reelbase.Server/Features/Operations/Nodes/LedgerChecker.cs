using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Credits;
using Reelbase.Server.Features.Operations.Cleanup;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Operations.Nodes;

/// <summary>Checks every ledger when an admin asks for it; the same check that is made each night.</summary>
public sealed class LedgerChecker(WorkerDatabase database, ChangeFeed feed, IOptions<CleanupOptions> options, ILogger<LedgerChecker> logger)
    : PeriodicWork(logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override ChangeFeed.Subscription? Wake => feed.Subscribe(AdminApi.Topic);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await using var run = await ScheduledRun.ClaimLedgerCheckAsync(database, stoppingToken);
        if (run is null)
        {
            return;
        }
        try
        {
            var found = await LedgerVerifier.RunAsync(
                database,
                options.Value.LedgerCheckUsers,
                options.Value.UnusualCredits,
                LedgerProgress.From(run.Progress),
                progress => run.SaveAsync(new { ledger = progress }, stoppingToken),
                stoppingToken
            );
            await run.FinishAsync(
                new
                {
                    users = found.Users,
                    mismatches = found.Mismatches,
                    unusual = found.Unusual,
                }
            );
            feed.Publish(AdminApi.Topic);
        }
        catch (Exception error)
        {
            run.BreakOff(error.Message);
            throw;
        }
    }
}
