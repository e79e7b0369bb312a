using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Cleanup;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Nodes;

/// <summary>Checks every ledger when an admin asks for it; the same check that is made each night.</summary>
public sealed class LedgerChecker(WorkerDatabase database, ChangeFeed feed, IOptions<CleanupOptions> options, ILogger<LedgerChecker> logger)
    : PeriodicWork(logger)
{
    private const string Schedule = "ledger_check";
    private const int LeaseSeconds = 3600;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override ChangeFeed.Subscription? Wake => feed.Subscribe(AdminApi.Topic);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var claimToken = ClaimToken.New();
        if (!await database.ScalarAsync<bool>("select claim_ledger_check($1, $2)", stoppingToken, claimToken, LeaseSeconds))
        {
            return;
        }
        var books = (
            await database.ListSlowlyAsync<Books>(
                options.Value.LedgerCheckSeconds,
                "select * from check_books($1)",
                stoppingToken,
                options.Value.UnusualCredits
            )
        )[0];
        await database.ExecuteAsync(
            "select finish_schedule($1, $2, $3::jsonb)",
            CancellationToken.None,
            Schedule,
            claimToken,
            JsonSerializer.Serialize(new { mismatches = books.Mismatches, unusual = books.Unusual })
        );
        feed.Publish(AdminApi.Topic);
    }

    private sealed record Books(long Mismatches, long Unusual);
}
