using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Telemetry;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Inbox;

/// <summary>A stored event and the submission whose address it came to.</summary>
public sealed class ClaimedDelivery : ITraced, IClaimed
{
    /// <inheritdoc/>
    public string ClaimToken { get; set; } = "";

    public long Id { get; init; }
    public string Provider { get; init; } = "";
    public string EventJobId { get; init; } = "";
    public string? Payload { get; init; }
    public int Attempt { get; init; }
    public Guid? JobId { get; init; }
    public long? SubmissionId { get; init; }
    public string? ProviderJobId { get; init; }
    public string? ProviderModelId { get; init; }
    public string? StatusUrl { get; init; }
    public string? ResultUrl { get; init; }
    public string? TraceParent { get; init; }
    public string? CausedBy { get; init; }
}

/// <summary>Works off stored events: a good result sends its job to be fetched, a failure ends it with a refund. What is late or foreign does no harm.</summary>
public sealed class WebhookWorker(
    WorkerDatabase database,
    VideoProviders providers,
    ProviderBills bills,
    ChangeFeed feed,
    IOptions<CallbackOptions> callbacks,
    IOptions<WorkOptions> options,
    ILogger<WebhookWorker> logger
) : WorkLoop<ClaimedDelivery>(feed, options, logger)
{
    /// <summary>Wakes this loop.</summary>
    public const string WakeTopic = "work:webhooks";
    private readonly ChangeFeed _feed = feed;

    /// <inheritdoc/>
    protected override string Topic => WakeTopic;

    /// <inheritdoc/>
    protected override Task<List<ClaimedDelivery>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken) =>
        database.ListAsync<ClaimedDelivery>(
            "select * from claim_webhook_deliveries($1, $2, $3, $4)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            limit,
            callbacks.Value.MaxClaims
        );

    /// <inheritdoc/>
    protected override async Task HandleAsync(ClaimedDelivery item, CancellationToken cancellationToken)
    {
        if (item is not { JobId: { } jobId, Payload: { } payload } || providers.Find(item.Provider) is not { } provider)
        {
            await FinishAsync(item, "nothing to do: the job or the provider is gone");
            return;
        }
        using var document = JsonDocument.Parse(payload);
        var outcome = provider.ReadWebhook(document.RootElement);
        if (item.ProviderJobId is null || outcome is PollOutcome.Unknown)
        {
            // We never learned the provider's id (the answer to the submission was lost), or the event carries no result: only
            // what our own key can read there is believed.
            outcome = await provider.PollAsync(new(item.ProviderModelId, item.EventJobId, item.StatusUrl, item.ResultUrl), cancellationToken);
        }
        switch (outcome)
        {
            case PollOutcome.Succeeded done:
                var verdict = await ApplyAsync(item, "succeeded", done.VideoUrl, null, null, done.CostMicros);
                CrashPoints.Pass("result.recorded");
                if (verdict is "late" or "stale")
                {
                    logger.LogWarning("A video for job {JobId} came too late ({Verdict}); it is recorded and not delivered", jobId, verdict);
                }
                break;
            case PollOutcome.Failed failed:
                await ApplyAsync(item, "failed", null, JobFailures.Code(failed.Kind), failed.Reason, failed.CostMicros);
                break;
            case var open:
                if (item.ProviderJobId is null)
                {
                    await database.RecordAsync<bool>(
                        "select name_lost_submission($1, $2, $3)",
                        item.Id,
                        item.ClaimToken,
                        Math.Max(provider.Options.MinPollSeconds, callbacks.Value.RetryBaseSeconds)
                    );
                }
                var reason = open is PollOutcome.Unknown unknown ? unknown.Reason : "the provider says that it still runs";
                await TryAgainAsync(item, reason);
                return;
        }
        _feed.Publish(VideoJobWorker.WakeTopic);
        _feed.Publish(VideoJobWorker.TopicOf(jobId));
        await bills.RecordAsync(item.SubmissionId, outcome);
    }

    /// <inheritdoc/>
    protected override Task GiveBackAsync(ClaimedDelivery item, string reason) => TryAgainAsync(item, reason);

    private Task TryAgainAsync(ClaimedDelivery item, string reason) =>
        database.ExecuteAsync(
            "select finish_webhook_delivery($1, $2, $3, $4, $5)",
            CancellationToken.None,
            item.Id,
            item.ClaimToken,
            reason,
            Backoff.Seconds(item.Attempt, callbacks.Value.RetryBaseSeconds, callbacks.Value.RetryCapSeconds),
            callbacks.Value.MaxRetries
        );

    /// <summary>The effect and the end of the event in one transaction; the database decides whose it is and whether it still counts.</summary>
    private Task<string?> ApplyAsync(ClaimedDelivery item, string outcome, string? url, string? code, string? detail, long? costMicros) =>
        database.RecordAsync<string>(
            "select apply_webhook_delivery($1, $2, $3, $4, $5, $6, $7, $8::bigint)",
            item.Id,
            item.ClaimToken,
            outcome,
            url,
            code,
            code is null ? null : JobFailures.Message(code),
            detail,
            costMicros
        );

    private Task FinishAsync(ClaimedDelivery item, string? remark) =>
        database.ExecuteAsync(
            "select finish_webhook_delivery($1, $2, $3, $4::double precision, $5)",
            CancellationToken.None,
            item.Id,
            item.ClaimToken,
            remark,
            null,
            callbacks.Value.MaxRetries
        );
}
