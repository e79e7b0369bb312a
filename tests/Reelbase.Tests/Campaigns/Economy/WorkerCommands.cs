namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>A worker asks for work. The call's token is its own: what an earlier call of the same process claimed is not its.</summary>
public sealed record ClaimWork(string Name) : Command
{
    public override string Line => $"a worker claims what is due: {Name}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (world.Claims.ContainsKey(Name))
        {
            return;
        }
        var claim = new Claim(Name, $"node/1/{Guid.NewGuid():N}");
        world.Claims[Name] = claim;
        var outcome = Play.Good(await play.AsWorkerAsync("""select job_id from claim_video_jobs($1, 600, 50, '{"fal":{"concurrency":40}}')""", claim.Token));
        foreach (var id in outcome.Rows.Select(row => (Guid)row[0]!))
        {
            var job = world.Jobs.Values.FirstOrDefault(job => job.Id == id);
            if (job is null)
            {
                throw new EconomyException($"claimed a job that nobody made: {id}");
            }
            Play.Expect(job.End is null, $"{job.Label} was claimed after its end");
            Play.Expect(!job.HasLiveLease, $"{job.Label} was claimed from a worker whose lease goes on");
            Play.Expect(play.After(job).LeasedBy == claim.Token, $"{job.Label} was answered and not leased");
            job.HasLiveLease = true;
            play.Touched.Add(job);
        }
    }
}

/// <summary>What a worker reports of a job, under the token of one of its claims: it counts only while that claim holds the job, at the stage it is about.</summary>
public abstract record WorkerReport(string Name, string By) : Command
{
    public sealed override async Task PlayAsync(Play play)
    {
        if (play.World.Jobs.TryGetValue(Name, out var job) && play.World.Claims.TryGetValue(By, out var claim))
        {
            var holds = job.LeasedBy == claim.Token;
            if (holds)
            {
                play.Touched.Add(job);
            }
            await ReportAsync(play, job, claim.Token, holds);
            if (play.Snapshot is not null && job.HasLiveLease && play.After(job).LeasedBy.Length == 0)
            {
                job.HasLiveLease = false;
            }
        }
    }

    protected abstract Task ReportAsync(Play play, Job job, string token, bool holds);

    protected static void Stage(Play play, Job job, params string[] right)
    {
        var stage = play.After(job).Stage;
        Play.Expect(right.Contains(stage), $"{job.Label} is {stage} where {string.Join(" or ", right)} is right");
    }
}

public sealed record BeginSubmission(string Name, string By) : WorkerReport(Name, By)
{
    public override string Line => $"{By} begins to submit {Name}";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        var outcome = Play.Good(await play.AsWorkerAsync("select submission_id, attempt, webhook_token from begin_submission($1, $2, 1800)", job.Id, token));
        var isRight = holds && job.Stage == "queued" && !job.IsDeleted;
        Play.Expect(
            isRight == outcome.Rows.Count > 0,
            $"{job.Label} was {(isRight ? "not " : "")}handed to a worker whose claim is {(holds ? "good" : "lost")}"
        );
        if (isRight)
        {
            var attempt = (int)outcome.Rows[0][1]!;
            job.Submissions[attempt] = new((long)outcome.Rows[0][0]!, attempt, (string)outcome.Rows[0][2]!);
            Stage(play, job, "submitting");
        }
    }
}

public sealed record SubmissionAccepted(string Name, string By, int Attempt) : WorkerReport(Name, By)
{
    public override string Line => $"{By} says that attempt {Attempt} of {Name} was accepted";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        if (!job.Submissions.TryGetValue(Attempt, out var submission))
        {
            return;
        }
        Play.Good(
            await play.AsWorkerAsync(
                "select record_submission_accepted($1, $2, $3, 'https://q/s', 'https://q/r', 'https://q/c', 3600)",
                submission.Id,
                token,
                submission.ProviderJobId
            )
        );
        submission.IsAnswered = true;
        if (Attempt == job.Attempt && job.Stage is "submitting" or "ambiguous" && Attempt == job.Attempt)
        {
            // The provider's id is a fact, also when the worker was late: then the job goes on with it, unless another claim works on it.
            play.Touched.Add(job);
            Stage(play, job, holds || !job.HasLiveLease ? "submitted" : job.Stage);
        }
    }
}

public sealed record SubmissionRefused(string Name, string By, int Attempt) : WorkerReport(Name, By)
{
    public override string Line => $"{By} says that attempt {Attempt} of {Name} was not accepted";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        if (!job.Submissions.TryGetValue(Attempt, out var submission))
        {
            return;
        }
        Play.Good(await play.AsWorkerAsync("select record_submission_refused($1, $2, 'busy', 0, 3600)", submission.Id, token));
        // Only one claim made this submission; that another one reports on it first, either way, is nothing that workers do, and then the job may wait for its deadline.
        var wasAnswered = submission.IsAnswered;
        submission.IsAnswered = true;
        if (!holds)
        {
            return;
        }
        if (Attempt != job.Attempt || job.Stage != "submitting" || wasAnswered)
        {
            Stage(play, job, job.Stage);
        }
        else if (job.IsDeleted || job.IsCancelled)
        {
            World.Fail(job);
        }
        else
        {
            Stage(play, job, "queued");
        }
    }
}

public sealed record SubmissionAmbiguous(string Name, string By) : WorkerReport(Name, By)
{
    public override string Line => $"{By} does not know whether {Name} was accepted";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        Play.Good(await play.AsWorkerAsync("select record_submission_ambiguous($1, $2, 'no answer')", job.Id, token));
        if (holds)
        {
            // Unless its answer came meanwhile.
            Stage(play, job, job.Stage == "submitting" ? ["ambiguous", "submitted"] : [job.Stage]);
        }
    }
}

/// <summary>The file is in our storage.</summary>
public sealed record VideoStored(string Name, string By) : WorkerReport(Name, By)
{
    public override string Line => $"{By} has stored the video of {Name}";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        var outcome = Play.Good(
            await play.AsWorkerAsync("select complete_video_job($1, $2, $3, 1000, 'video/mp4', null, null, null)", job.Id, token, $"{job.Id}.mp4")
        );
        var isRight = holds && job.Stage == "fetching" && job.End is null;
        Play.Expect(outcome.Value is bool done && done == isRight, $"storing {job.Label} was {(isRight ? "not " : "")}accepted");
        if (isRight)
        {
            job.End = "completed";
        }
    }
}

/// <summary>A worker gives a job up: its deadline has come, its provider has refused it, its file cannot be had.</summary>
public sealed record WorkerFails(string Name, string By) : WorkerReport(Name, By)
{
    public override string Line => $"{By} fails {Name}";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        var outcome = Play.Good(await play.AsWorkerAsync("select fail_video_job($1, $2, 'ERR_5002', 'It failed.')", job.Id, token));
        var isRight = holds && job.End is null;
        Play.Expect(outcome.Value is bool done && done == isRight, $"failing {job.Label} was {(isRight ? "not " : "")}accepted");
        if (isRight)
        {
            World.Fail(job);
        }
    }
}

public sealed record Reschedule(string Name, string By, string AtStage) : WorkerReport(Name, By)
{
    public override string Line => $"{By} gives {Name} back for later, which it thinks is {AtStage}";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        Play.Good(await play.AsWorkerAsync("select reschedule_video_job($1, $2, 3600, false, $3)", job.Id, token, AtStage));
        if (holds)
        {
            Stage(play, job, job.Stage == "ambiguous" ? ["ambiguous", "submitted"] : [job.Stage]);
            Play.Expect(AtStage == job.Stage == (play.After(job).LeasedBy.Length == 0), $"the lease of {job.Label} is wrong after it was given back");
        }
    }
}

public sealed record RenewLease(string Name, string By) : WorkerReport(Name, By)
{
    public override string Line => $"{By} renews its lease of {Name}";

    protected override async Task ReportAsync(Play play, Job job, string token, bool holds)
    {
        var outcome = Play.Good(await play.AsWorkerAsync("select renew_video_job_lease($1, $2, 600)", job.Id, token));
        Play.Expect(outcome.Value is bool done && done == (holds && job.End is null), $"the lease of {job.Label} was renewed: {outcome.Value}");
        if (holds && job.End is null)
        {
            job.HasLiveLease = true;
        }
    }
}
