namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>What became of a stored event on its way through the workers.</summary>
public enum DeliveryFate
{
    /// <summary>Claimed and carried out.</summary>
    Handled,

    /// <summary>Its claim is lost before it is carried out: another one takes it, and the first wakes up after that.</summary>
    ClaimLost,

    /// <summary>The provider sends it once more.</summary>
    SentTwice,
}

/// <summary>A webhook says how an attempt ended; it may come late, twice, during the next attempt, and through a worker that was frozen.</summary>
public sealed record Webhook(string Name, int Attempt, bool IsSuccess, DeliveryFate Fate) : Command
{
    public override string Line =>
        $"a webhook says that attempt {Attempt} of {Name} {(IsSuccess ? "has its video" : "failed")}"
        + Fate switch
        {
            DeliveryFate.ClaimLost => ", and its first claim is lost",
            DeliveryFate.SentTwice => ", twice",
            _ => "",
        };

    public override async Task PlayAsync(Play play)
    {
        if (!play.World.Jobs.TryGetValue(Name, out var job) || !job.Submissions.TryGetValue(Attempt, out var submission))
        {
            return;
        }
        // The first final result of the current attempt counts; what comes after it, or from another attempt, is a remark.
        var isRight = job.End is null && Attempt == job.Attempt && job.Stage is "submitting" or "ambiguous" or "submitted" && Attempt == job.Attempt;
        if (!await DeliverAsync(play, submission))
        {
            return;
        }
        if (!isRight)
        {
            return;
        }
        play.Touched.Add(job);
        job.HasLiveLease = false;
        if (!IsSuccess)
        {
            World.Fail(job);
        }
        else if (job.IsDeleted)
        {
            job.End = "completed";
        }
        else
        {
            var stage = play.After(job).Stage;
            Play.Expect(stage == "fetching", $"{job.Label} is {stage} after its video was reported");
        }
    }

    /// <summary>Stores the event and has workers handle it; false when there was nothing to do, because it had come before.</summary>
    private async Task<bool> DeliverAsync(Play play, Submission submission)
    {
        async Task<bool> StoreAsync() =>
            Play.Good(
                await play.AsApiAsync(
                    "select store_webhook_delivery('fal', sha256(convert_to($1, 'UTF8')), $2, 'result', '{}'::jsonb, $3, null, convert_to('{}', 'UTF8'))",
                    submission.WebhookToken,
                    submission.ProviderJobId + (IsSuccess ? "-done" : "-failed"),
                    submission.ProviderJobId
                )
            ).Value
                is true;
        if (!await StoreAsync())
        {
            return false;
        }
        if (Fate == DeliveryFate.SentTwice)
        {
            Play.Expect(!await StoreAsync(), "the same event twice is two");
        }
        if (await ClaimAsync(play) is not { } delivery)
        {
            return false;
        }
        if (Fate == DeliveryFate.ClaimLost)
        {
            await play.AsOwnerAsync(
                "update webhook_deliveries set lease_until = clock_timestamp() - interval '1 second', run_after = clock_timestamp() where id = $1",
                delivery.Id
            );
            var second = await ClaimAsync(play);
            Play.Expect(second is not null, "an event whose claim was lost is never claimed again");
            await ApplyAsync(play, second!.Value);
            var late = await ApplyAsync(play, delivery);
            Play.Expect(late == "lost", $"an event was carried out twice: {late}");
        }
        else
        {
            await ApplyAsync(play, delivery);
        }
        return true;
    }

    private static async Task<(long Id, string Token)?> ClaimAsync(Play play)
    {
        var token = $"node/1/{Guid.NewGuid():N}";
        var outcome = Play.Good(await play.AsWorkerAsync("select id from claim_webhook_deliveries($1, 600, 10, 20)", token));
        return outcome.Rows.Count == 0 ? null : ((long)outcome.Rows[0][0]!, token);
    }

    private async Task<string> ApplyAsync(Play play, (long Id, string Token) delivery) =>
        (string)
            Play.Good(
                await play.AsWorkerAsync(
                    "select apply_webhook_delivery($1, $2, $3, $4::text, $5::text, $6::text, 'as the provider says', null)",
                    delivery.Id,
                    delivery.Token,
                    IsSuccess ? "succeeded" : "failed",
                    IsSuccess ? "https://v/1.mp4" : null,
                    IsSuccess ? null : "ERR_5003",
                    IsSuccess ? null : "Refused."
                )
            ).Value!;
}

/// <summary>A poller hears that the video is ready.</summary>
public sealed record ResultPolled(string Name, string By, int Attempt) : WorkerReport(Name, By)
{
    public override string Line => $"{By} hears that attempt {Attempt} of {Name} has its video";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        if (!job.Submissions.TryGetValue(Attempt, out var submission))
        {
            return;
        }
        Play.Good(await play.AsWorkerAsync("select record_video_success($1, $2, $3, 'https://v/1.mp4', null)", submission.Id, token, submission.ProviderJobId));
        if (!holds)
        {
            return;
        }
        if (Attempt != job.Attempt || job.Stage != "submitted")
        {
            Stage(play, job, job.Stage);
        }
        else if (job.IsDeleted)
        {
            job.End = "completed";
        }
        else
        {
            Stage(play, job, "fetching");
        }
    }
}

/// <summary>A worker gives up a submission: the provider says that it failed, its deadline has come, or its file cannot be had.</summary>
public sealed record AttemptFails(string Name, string By, int Attempt, string AtStage) : WorkerReport(Name, By)
{
    public override string Line => $"{By} fails attempt {Attempt} of {Name}, which it thinks is {AtStage}";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        if (!job.Submissions.TryGetValue(Attempt, out var submission))
        {
            return;
        }
        var outcome = Play.Good(
            await play.AsWorkerAsync(
                "select record_video_failure($1, $2, $3, 'ERR_5002', 'It failed.', 'failed', 'by the model', null, false)",
                submission.Id,
                token,
                AtStage
            )
        );
        var isRight = holds && Attempt == job.Attempt && AtStage == job.Stage;
        Play.Expect(outcome.Value is "failed" == isRight, $"failing attempt {Attempt} of {job.Label} answered {outcome.Value}");
        if (isRight)
        {
            World.Fail(job);
        }
    }
}

/// <summary>The provider refuses the content for good.</summary>
public sealed record SubmissionRejected(string Name, string By, int Attempt) : WorkerReport(Name, By)
{
    public override string Line => $"{By} says that attempt {Attempt} of {Name} was rejected for good";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        if (!job.Submissions.TryGetValue(Attempt, out var submission))
        {
            return;
        }
        var outcome = Play.Good(
            await play.AsWorkerAsync("select record_submission_rejected($1, $2, 'ERR_5003', 'Refused.', 'by the model')", submission.Id, token)
        );
        var isRight = holds && Attempt == job.Attempt && job.Stage == "submitting" && !submission.IsAnswered;
        Play.Expect(outcome.Value is true == isRight, $"rejecting attempt {Attempt} of {job.Label} answered {outcome.Value}");
        submission.IsAnswered = true;
        if (isRight)
        {
            World.Fail(job);
        }
    }
}

/// <summary>A worker ends a job that nobody ever got anywhere with.</summary>
public sealed record GiveUp(string Name, string By) : WorkerReport(Name, By)
{
    public override string Line => $"{By} gives up {Name}";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        var outcome = Play.Good(await play.AsWorkerAsync("select give_up_video_job($1, $2, 'ERR_5002', 'It failed.')", job.Id, token));
        Play.Expect(outcome.Value is true == holds, $"giving up {job.Label} answered {outcome.Value}");
        if (holds)
        {
            World.Fail(job);
        }
    }
}
