using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Telemetry;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Notifications.Push;

/// <summary>A push that is due.</summary>
public sealed record ClaimedPush(
    Guid Id,
    Guid? JobId,
    string Token,
    string Environment,
    string Kind,
    string Event,
    string ModelName,
    DateTime CreatedAt,
    int Attempt,
    string? TraceParent,
    string Language,
    int Credits
) : ITraced, IClaimed
{
    /// <inheritdoc/>
    public string ClaimToken { get; set; } = "";
}

/// <summary>Sends the outbox of pushes. A push is a hint: a job never waits for one, and one that is too old is not sent any more.</summary>
public sealed class PushWorker(
    WorkerDatabase database,
    ApnsClient apns,
    ChangeFeed feed,
    TimeProvider clock,
    IOptions<WorkOptions> options,
    ILogger<PushWorker> logger
) : TableLoop<ClaimedPush>(database, feed, options, logger)
{
    /// <summary>Wakes this loop.</summary>
    public const string WakeTopic = "work:push";

    private const double RetryCapSeconds = 3600;
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(4);

    /// <inheritdoc/>
    protected override string Work => "push_notifications";

    /// <inheritdoc/>
    protected override string KeyOf(ClaimedPush item) => item.Id.ToString();

    /// <inheritdoc/>
    protected override string Topic => WakeTopic;

    /// <inheritdoc/>
    protected override Task<List<ClaimedPush>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken) =>
        Database.ListAsync<ClaimedPush>(
            "select * from claim_push_notifications($1, $2, $3, $4)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            limit,
            MaxAttempts
        );

    /// <inheritdoc/>
    protected override async Task HandleAsync(ClaimedPush item, CancellationToken cancellationToken)
    {
        if (!apns.IsConfigured || clock.GetUtcNow() - item.CreatedAt > MaxAge)
        {
            await FinishAsync(item, "failed", apns.IsConfigured ? "too old" : "pushes are off (Apns:KeyId)");
            return;
        }
        var answer = await apns.SendAsync(Push(item, item.Environment), cancellationToken);
        string? environment = null;
        if (answer is ApnsResponse.UnknownToken)
        {
            // Registered as of the other kind of build, perhaps: asked there once.
            environment = item.Environment == "sandbox" ? "production" : "sandbox";
            answer = await apns.SendAsync(Push(item, environment), cancellationToken);
        }
        switch (answer)
        {
            case ApnsResponse.Taken:
                await FinishAsync(item, "sent", null, environment: environment);
                break;
            case ApnsResponse.UnknownToken:
                await FinishAsync(item, "gone", "BadDeviceToken");
                break;
            case ApnsResponse.Gone gone:
                await FinishAsync(item, "gone", gone.Reason, goneAt: gone.Since);
                break;
            case ApnsResponse.Refused { IsOurSetup: true } refused:
                logger.LogCritical("APNs refuses our pushes: {Reason} (Apns:Topic, TeamId, KeyId, PrivateKey)", refused.Reason);
                await Database.ExecuteAsync(
                    "select raise_alert('push_setup', $1, $2)",
                    CancellationToken.None,
                    $"{refused.Reason}:{clock.GetUtcNow():yyyy-MM-dd}",
                    $"APNs refuses our pushes: {refused.Reason}. Check Apns:Topic, TeamId, KeyId and PrivateKey."
                );
                await FinishAsync(item, "failed", refused.Reason);
                break;
            case ApnsResponse.Refused refused:
                await FinishAsync(item, "failed", refused.Reason);
                break;
            case ApnsResponse.Later later:
                await FinishAsync(item, null, later.Reason, Backoff.Seconds(item.Attempt, later.Seconds, RetryCapSeconds));
                break;
        }
    }

    /// <summary>The words are the app's own, by key, so that they are in the phone's language; see this folder's README for the keys.</summary>
    private static ApnsPush Push(ClaimedPush item, string environment)
    {
        if (item.JobId is not { } job)
        {
            return LowCredits.Push(item, environment, MaxAge);
        }
        var aps = new Dictionary<string, object>();
        if (item.Kind == "background")
        {
            aps["content-available"] = 1;
        }
        else
        {
            var key = item.Event == "completed" ? "VIDEO_COMPLETED" : "VIDEO_FAILED";
            aps["alert"] = new Dictionary<string, object>
            {
                ["title-loc-key"] = key + "_TITLE",
                ["loc-key"] = key + "_BODY",
                ["loc-args"] = new[] { item.ModelName },
            };
            aps["sound"] = "default";
            aps["thread-id"] = "videos";
            aps["interruption-level"] = "active";
        }
        return new(
            item.Id,
            item.Token,
            environment,
            item.Kind == "background",
            job.ToString(),
            new DateTimeOffset(item.CreatedAt, TimeSpan.Zero) + MaxAge,
            new Dictionary<string, object>
            {
                ["aps"] = aps,
                ["job_id"] = job.ToString(),
                ["status"] = item.Event,
            }
        );
    }

    private Task FinishAsync(
        ClaimedPush item,
        string? status,
        string? error,
        double? retryAfterSeconds = null,
        DateTimeOffset? goneAt = null,
        string? environment = null
    ) =>
        Database.ExecuteAsync(
            "select finish_push_notification($1, $2, $3, $4, $5::double precision, $6::timestamptz, $7)",
            CancellationToken.None,
            item.Id,
            item.ClaimToken,
            status,
            error,
            retryAfterSeconds,
            goneAt?.UtcDateTime,
            environment
        );
}
