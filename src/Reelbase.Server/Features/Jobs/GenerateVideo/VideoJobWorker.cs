using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Jobs.Providers;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>
/// Carries jobs from the queue to their end: submit, poll, fetch, finish. The states and what may go wrong in each are
/// in this folder's README. No transaction is open while anything outside is called.
/// </summary>
public sealed class VideoJobWorker(
    WorkerDatabase database,
    VideoProviders providers,
    ProviderHealth watch,
    VideoFetcher fetcher,
    JobPictures pictures,
    StorageQuota quota,
    ProviderBills bills,
    ChangeFeed feed,
    IOptions<GenerationOptions> options,
    IOptions<ServerOptions> server,
    IOptions<WorkOptions> work,
    ILogger<VideoJobWorker> logger
) : WorkLoop<ClaimedJob>(feed, work, logger)
{
    /// <summary>Wakes this loop.</summary>
    public const string WakeTopic = "work:video_jobs";

    private readonly ChangeFeed _feed = feed;

    private GenerationOptions Options => options.Value;

    /// <inheritdoc/>
    protected override string Topic => WakeTopic;

    /// <summary>The topic on which changes of one job are published.</summary>
    public static string TopicOf(Guid jobId) => $"job:{jobId}";

    /// <inheritdoc/>
    protected override Task<List<ClaimedJob>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken) =>
        database.ListAsync<ClaimedJob>(
            "select * from claim_video_jobs($1, $2, $3, $4::jsonb)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            limit,
            JobPlaces.Rules(providers, Places)
        );

    /// <inheritdoc/>
    protected override IReadOnlyDictionary<string, int> Limits => JobPlaces.Limits(providers, MaxConcurrent);

    /// <inheritdoc/>
    protected override string KindOf(ClaimedJob item) => JobPlaces.KindOf(item, providers);

    /// <inheritdoc/>
    protected override Task<bool> RenewAsync(ClaimedJob item, CancellationToken cancellationToken) =>
        database.ScalarAsync<bool>("select renew_video_job_lease($1, $2, $3)", cancellationToken, item.JobId, item.ClaimToken, LeaseSeconds);

    /// <inheritdoc/>
    protected override async Task HandleAsync(ClaimedJob item, CancellationToken cancellationToken)
    {
        if (item.StalledClaims > Options.MaxStalledClaims)
        {
            await GiveUpAsync(item);
            return;
        }
        if (item.Stage == "fetching" && await quota.IsDiskShortAsync(database))
        {
            await PutOffAsync(item);
            return;
        }
        var provider = providers.Find(item.Provider);
        if (provider is null && item.Stage is "submitted")
        {
            // The provider was configured away under a running job: nobody can be asked, so only the deadline remains.
            await (
                item.IsPastDeadline ? FailAsync(item, FailureKind.Unavailable, "the provider is not configured") : RescheduleAsync(item, Options.MaxPollSeconds)
            );
            return;
        }
        await (
            item switch
            {
                { Stage: "submitting" } => AmbiguousAsync(item, "the worker ended while it was submitting", WebhookBase(provider)),
                { IsPastDeadline: true, Stage: "queued" } => FailAsync(item, FailureKind.Unavailable, "the job was never served"),
                { IsPastDeadline: true, Stage: "ambiguous" } => FailAsync(item, FailureKind.Timeout, "nothing was heard of the submission", isUnsettled: true),
                { IsPastDeadline: true, Stage: "fetching" } => FailAsync(item, FailureKind.Unavailable, "the video could not be fetched in time"),
                { IsPastDeadline: true } => PollAtDeadlineAsync(item, provider!, cancellationToken),
                { Stage: "queued" } => SubmitAsync(item, provider!, cancellationToken),
                { Stage: "ambiguous" } => RescheduleAsync(item, Math.Max(0.1, (item.DeadlineAt - DateTime.UtcNow).TotalSeconds)),
                { Stage: "submitted" } => PollAsync(item, provider!, cancellationToken),
                _ => FetchAsync(item, provider, cancellationToken),
            }
        );
        _feed.Publish(TopicOf(item.JobId));
    }

    private async Task SubmitAsync(ClaimedJob job, IVideoProvider provider, CancellationToken cancellationToken)
    {
        CrashPoints.Pass("submission.claimed");
        // Before the attempt is recorded: what fails from there on is ambiguous.
        var picture = await pictures.AddressAsync(job, cancellationToken);
        var begun = await database.QuerySingleOrDefaultAsync<BegunSubmission>(
            "select * from begin_submission($1, $2, $3)",
            cancellationToken,
            job.JobId,
            job.ClaimToken,
            Options.SubmissionDeadlineSeconds
        );
        if (begun is null)
        {
            return;
        }
        (job.SubmissionId, job.Stage) = (begun.SubmissionId, "submitting");
        CrashPoints.Pass("submission.intended");
        _feed.Publish(TopicOf(job.JobId));
        var webhookBase = WebhookBase(provider);
        var webhook = webhookBase is null ? null : $"{webhookBase}/webhooks/{provider.Name}/{begun.WebhookToken}";
        using var settings = JsonDocument.Parse(job.Settings);
        using var map = JsonDocument.Parse(job.ProviderInput ?? "{}");
        var input = new GenerationInput(job.ProviderModelId!, job.Prompt, settings.RootElement, picture, map.RootElement);
        // Its own timeout ends it and nothing else: a submission that is broken off is ambiguous, whatever the provider answers.
        var outcome =
            picture is null && job.ImageUrl is not null
                ? new SubmitOutcome.Rejected(FailureKind.InputRefused, "the picture is gone")
                : await provider.SubmitAsync(input, webhook, CancellationToken.None);
        // From here on the record is written even while the server stops: an answer that is lost makes a job ambiguous.
        switch (outcome)
        {
            case SubmitOutcome.Accepted accepted:
                await database.RecordAsync<object>(
                    "select record_submission_accepted($1, $2, $3, $4, $5, $6, $7)",
                    begun.SubmissionId,
                    job.ClaimToken,
                    accepted.ProviderJobId,
                    accepted.StatusUrl,
                    accepted.ResultUrl,
                    accepted.CancelUrl,
                    FirstPollSeconds(provider, webhook)
                );
                CrashPoints.Pass("submission.recorded");
                await watch.AcceptedAsync(provider.Name);
                break;
            case SubmitOutcome.NotAccepted refused:
                if (refused.IsOurFault)
                {
                    await watch.AccountRefusedAsync(provider, refused.Reason);
                }
                var pause = refused.RetryAfterSeconds ?? Backoff.Seconds(begun.Attempt, Options.RetryBaseSeconds, Options.RetryCapSeconds);
                await database.RecordAsync<object>(
                    "select record_submission_refused($1, $2, $3, $4, $5)",
                    begun.SubmissionId,
                    job.ClaimToken,
                    refused.Reason,
                    Math.Clamp(pause, 0, 3600),
                    Options.QueueDeadlineSeconds
                );
                break;
            case SubmitOutcome.Rejected rejected:
                logger.LogInformation("Job {JobId} was rejected: {Reason}", job.JobId, rejected.Reason);
                var rejection = JobFailures.Code(rejected.Kind);
                await database.RecordAsync<object>(
                    "select record_submission_rejected($1, $2, $3, $4, $5)",
                    begun.SubmissionId,
                    job.ClaimToken,
                    rejection,
                    JobFailures.Message(rejection),
                    rejected.Reason
                );
                break;
            case SubmitOutcome.Ambiguous ambiguous:
                await AmbiguousAsync(job, ambiguous.Reason, webhook);
                break;
        }
    }

    private async Task PollAsync(ClaimedJob job, IVideoProvider provider, CancellationToken cancellationToken)
    {
        var outcome = await provider.PollAsync(job.Reference!, cancellationToken);
        switch (outcome)
        {
            case PollOutcome.Succeeded done:
                await TakeResultAsync(job, provider, done, cancellationToken);
                break;
            case PollOutcome.Failed failed:
                await FailAsync(job, failed.Kind, failed.Reason, failed.CostMicros);
                await bills.RecordAsync(job.SubmissionId, failed);
                break;
            default:
                if (job.CancelRequestedAt is not null && outcome is PollOutcome.Running)
                {
                    await provider.CancelAsync(job.Reference!, cancellationToken);
                }
                if (outcome is PollOutcome.Unknown { IsOurFault: true } unknown)
                {
                    await watch.AccountRefusedAsync(provider, unknown.Reason);
                }
                // Polls spread out with the age of the job, from the first pause up to the longest.
                var first = job.CancelRequestedAt is null ? FirstPollSeconds(provider, WebhookBase(provider)) : FirstPollSeconds(provider, null);
                var age = (DateTime.UtcNow - job.DeadlineAt).TotalSeconds + Options.SubmissionDeadlineSeconds;
                await RescheduleAsync(job, Math.Clamp(age / 4, first, Math.Max(first, Options.MaxPollSeconds)));
                break;
        }
    }

    /// <summary>A timeout is not a verdict: at the deadline the provider is asked once more and then to stop.</summary>
    private async Task PollAtDeadlineAsync(ClaimedJob job, IVideoProvider provider, CancellationToken cancellationToken)
    {
        switch (await provider.PollAsync(job.Reference!, cancellationToken))
        {
            case PollOutcome.Succeeded done:
                await TakeResultAsync(job, provider, done, cancellationToken);
                break;
            case PollOutcome.Failed failed:
                await FailAsync(job, failed.Kind, failed.Reason, failed.CostMicros);
                await bills.RecordAsync(job.SubmissionId, failed);
                break;
            case var other:
                if (other is PollOutcome.Running)
                {
                    await provider.CancelAsync(job.Reference!, cancellationToken);
                }
                // Whatever it still makes of the job is asked for later and recorded, and is not charged to the user.
                var reason = other is PollOutcome.Unknown unknown ? "deadline; " + unknown.Reason : "deadline";
                await FailAsync(job, FailureKind.Timeout, reason, isUnsettled: true);
                break;
        }
    }

    private async Task TakeResultAsync(ClaimedJob job, IVideoProvider provider, PollOutcome.Succeeded done, CancellationToken cancellationToken)
    {
        var verdict = await database.RecordAsync<string>(
            "select record_video_success($1, $2, $3, $4, $5::bigint)",
            job.SubmissionId,
            job.ClaimToken,
            job.ProviderJobId,
            done.VideoUrl,
            done.CostMicros
        );
        CrashPoints.Pass("result.recorded");
        await bills.RecordAsync(job.SubmissionId, done);
        if (verdict != "fetching")
        {
            return;
        }
        job.Stage = "fetching";
        if (await quota.IsDiskShortAsync(database))
        {
            await PutOffAsync(job);
            return;
        }
        // A download needs a place of its own; while there is none the job waits without a lease, and polls go on.
        await (TryMove(job, JobPlaces.Fetch(provider.Name)) ? FetchAsync(job, provider, cancellationToken, done.VideoUrl) : RescheduleAsync(job, 0));
    }

    private async Task FetchAsync(ClaimedJob job, IVideoProvider? provider, CancellationToken cancellationToken, string? url = null)
    {
        if (url is null && job.FetchAttempt > 0 && provider is not null && job.Reference is { } reference)
        {
            // Addresses of results end; asking again gives a fresh one.
            url = await provider.PollAsync(reference, cancellationToken) is PollOutcome.Succeeded again ? again.VideoUrl : null;
        }
        var result = await fetcher.FetchAsync(job, url ?? job.ResultUrl!, provider?.Options.MediaHosts ?? [], job.ClaimToken, cancellationToken);
        switch (result)
        {
            case FetchResult.Stored:
                break;
            case FetchResult.DiskFull:
                logger.LogError("The disk was full while the video of job {JobId} was fetched; it is fetched later", job.JobId);
                await quota.ReportFullAsync(database);
                await PutOffAsync(job);
                break;
            case FetchResult.TryAgain { IsOurs: true } ours:
                logger.LogError("The video of job {JobId} cannot be stored ({Reason}); trying until its deadline", job.JobId, ours.Reason);
                await RescheduleAsync(job, Options.RetryCapSeconds);
                break;
            case FetchResult.TryAgain again when job.FetchAttempt + 1 < Options.MaxFetchAttempts:
                logger.LogWarning("The video of job {JobId} could not be fetched ({Reason}); trying again", job.JobId, again.Reason);
                await RescheduleAsync(job, Backoff.Seconds(job.FetchAttempt + 1, Options.RetryBaseSeconds, Options.RetryCapSeconds), isFetchFailure: true);
                break;
            case FetchResult.TryAgain again:
                await FailAsync(job, FailureKind.Unavailable, again.Reason);
                break;
            case FetchResult.ForeignHost foreign:
                await FailAsync(job, FailureKind.Unavailable, foreign.Reason);
                await ForeignHostAsync(job, foreign);
                break;
            case FetchResult.Unusable unusable:
                await FailAsync(job, FailureKind.Unavailable, unusable.Reason);
                break;
        }
    }

    /// <summary>The operator has to decide whether the host is the provider's; one model does not burn job after job meanwhile.</summary>
    private async Task ForeignHostAsync(ClaimedJob job, FetchResult.ForeignHost foreign)
    {
        var setting = $"{providers.SectionOf(job.Provider)}:MediaHosts";
        logger.LogError("The video of job {JobId} is on {Host}, which {Setting} does not allow", job.JobId, foreign.Host, setting);
        var isPaused = await database.RecordAsync<bool>("select record_foreign_result($1, $2, $3, $4)", job.JobId, foreign.Host, setting, foreign.IsRedirect);
        if (isPaused)
        {
            logger.LogCritical("{Model} of {Provider} is paused: add {Host} to {Setting}", job.ProviderModelId, job.Provider, foreign.Host, setting);
        }
    }

    private async Task FailAsync(ClaimedJob job, FailureKind kind, string reason, long? costMicros = null, bool isUnsettled = false)
    {
        logger.LogInformation("Job {JobId} failed: {Reason}", job.JobId, reason);
        var code = JobFailures.Code(kind);
        if (job is { SubmissionId: { } submission, Stage: not "queued" })
        {
            await database.RecordAsync<object>(
                "select record_video_failure($1, $2, $3, $4, $5, $6, $7, $8::bigint, $9)",
                submission,
                job.ClaimToken,
                job.Stage,
                code,
                JobFailures.Message(code),
                kind == FailureKind.Cancelled ? "cancelled" : null,
                reason,
                costMicros,
                isUnsettled
            );
            return;
        }
        await database.RecordAsync<object>("select fail_video_job($1, $2, $3, $4, $5)", job.JobId, job.ClaimToken, code, JobFailures.Message(code), false);
    }

    /// <summary>Nothing came of this job however often it was claimed: it ends without anything being asked outside.</summary>
    private Task GiveUpAsync(ClaimedJob job)
    {
        const string code = ErrorCodes.InternalError;
        logger.LogError("Job {JobId} was claimed {Claims} times at stage {Stage} without a record; it is given up", job.JobId, job.StalledClaims, job.Stage);
        return database.RecordAsync<object>("select give_up_video_job($1, $2, $3, $4)", job.JobId, job.ClaimToken, code, JobFailures.Message(code));
    }

    private Task AmbiguousAsync(ClaimedJob job, string reason, string? webhook)
    {
        logger.LogWarning("Nobody knows whether job {JobId} was accepted ({Reason}); it is not submitted again", job.JobId, reason);
        return database.RecordAsync<object>(
            "select record_submission_ambiguous($1, $2, $3, $4::integer)",
            job.JobId,
            job.ClaimToken,
            reason,
            webhook is null ? Options.AmbiguousSeconds : null
        );
    }

    private Task RescheduleAsync(ClaimedJob job, double seconds, bool isFetchFailure = false) =>
        database.ExecuteAsync(
            "select reschedule_video_job($1, $2, $3, $4, $5)",
            CancellationToken.None,
            job.JobId,
            job.ClaimToken,
            seconds,
            isFetchFailure,
            job.Stage
        );

    /// <summary>Our disk is short: the finished video waits at its provider, and the job's deadline with it.</summary>
    private Task PutOffAsync(ClaimedJob job) =>
        database.ExecuteAsync("select put_off_fetch($1, $2, $3)", CancellationToken.None, job.JobId, job.ClaimToken, Options.RetryCapSeconds);

    private double FirstPollSeconds(IVideoProvider provider, string? webhook) =>
        Math.Max(provider.Options.MinPollSeconds, webhook is null ? Options.PollSeconds : Options.PollWithWebhookSeconds);

    /// <summary>Where webhooks reach us; null when they cannot, and jobs are then polled.</summary>
    private string? WebhookBase(IVideoProvider? provider) =>
        provider is { HasWebhooks: true } && server.Value.PublicUrl is { Length: > 0 } url ? url.TrimEnd('/') : null;

    private sealed record BegunSubmission(long SubmissionId, int Attempt, string WebhookToken);
}
