using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>
/// Learns what providers made of jobs that ended before they answered: a late video is recorded with its cost and
/// shown to support. The user got the credits back when the job ended; nothing here changes that.
/// </summary>
public sealed class SubmissionSettler(WorkerDatabase database, VideoProviders providers, ProviderBills bills, ILogger<SubmissionSettler> logger)
    : PeriodicWork(logger)
{
    private const int BatchRows = 20;
    private const int LeaseSeconds = 300;
    private const int MaxAttempts = 12;
    private const double FirstPauseSeconds = 60;
    private const double LongestPauseSeconds = 6 * 3600;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken) => SettleAsync(stoppingToken);

    /// <summary>Asks about those that are due.</summary>
    internal async Task SettleAsync(CancellationToken cancellationToken)
    {
        var due = await database.ListAsync<Unsettled>("select * from claim_unsettled_submissions($1, $2)", cancellationToken, BatchRows, LeaseSeconds);
        // One provider that hangs must not hold up the others, nor one submission that throws the next.
        var byProvider = due.GroupBy(item => item.Provider)
            .Select(async items =>
            {
                foreach (var item in items)
                {
                    await TryAsync("settle a submission", () => SettleOneAsync(item, cancellationToken), cancellationToken);
                }
            });
        await Task.WhenAll(byProvider);
    }

    private async Task SettleOneAsync(Unsettled item, CancellationToken cancellationToken)
    {
        if (providers.Find(item.Provider) is not { } provider)
        {
            return;
        }
        var reference = new SubmissionRef(item.ProviderModelId, item.ProviderJobId, item.StatusUrl, item.ResultUrl, item.CancelUrl, IsCancelling: true);
        var seen = await provider.PollAsync(reference, cancellationToken);
        if (seen is PollOutcome.Running)
        {
            // Nobody waits for it any more.
            await provider.CancelAsync(reference, cancellationToken);
        }
        var (outcome, cost) = seen switch
        {
            PollOutcome.Succeeded done => ("late_success", done.CostMicros),
            PollOutcome.Failed { Kind: FailureKind.Cancelled } cancelled => ("cancelled", cancelled.CostMicros),
            PollOutcome.Failed failed => ("failed", failed.CostMicros),
            _ => ((string?)null, (long?)null),
        };
        double? retrySeconds =
            outcome is null && item.SettleAttempt < MaxAttempts ? Backoff.Seconds(item.SettleAttempt, FirstPauseSeconds, LongestPauseSeconds) : null;
        await database.ExecuteAsync(
            "select settle_submission($1, $2, $3::bigint, $4::double precision, $5)",
            CancellationToken.None,
            item.SubmissionId,
            outcome,
            cost,
            retrySeconds,
            item.SettleAttempt
        );
        await bills.RecordAsync(item.SubmissionId, seen);
        if (outcome == "late_success")
        {
            logger.LogWarning("A video for job {JobId} came after its refund; its cost is recorded and it is not delivered", item.JobId);
        }
    }

    private sealed record Unsettled(
        long SubmissionId,
        Guid JobId,
        string Provider,
        string? ProviderModelId,
        string ProviderJobId,
        string? StatusUrl,
        string? ResultUrl,
        string? CancelUrl,
        int SettleAttempt
    );
}
