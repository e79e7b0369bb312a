namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>How the server's workers record what a provider says of a submission.</summary>
public static class Provider
{
    public static Task<Outcome> ResultAsync(Play play, Job job, Submission submission, string? token) =>
        play.AsWorkerAsync("select record_video_result($1, $2, 'https://v/1.mp4', $3::text, null)", job.Id, submission.ProviderJobId, token);

    public static Task<Outcome> FailureAsync(Play play, Job job, Submission submission) =>
        play.AsWorkerAsync("select fail_video_job($1, null, 'ERR_5003', 'Refused.')", job.Id);

    /// <summary>A deleted job whose video was made ends unseen and stays charged.</summary>
    public static void EndUnseen(Play play, Job job, bool mayStay)
    {
        if (play.After(job).Status == "completed")
        {
            job.End = "completed";
        }
        else
        {
            Play.Expect(mayStay, $"{job.Label} was deleted and its video is there, and it goes on");
        }
    }
}

/// <summary>A webhook says how an attempt ended; it may come late, twice, and during the next attempt.</summary>
public sealed record Webhook(string Name, int Attempt, bool IsSuccess) : Command
{
    public override string Line => $"a webhook says that attempt {Attempt} of {Name} {(IsSuccess ? "has its video" : "failed")}";

    public override async Task PlayAsync(Play play)
    {
        if (!play.World.Jobs.TryGetValue(Name, out var job) || !job.Submissions.TryGetValue(Attempt, out var submission))
        {
            return;
        }
        Play.Good(await (IsSuccess ? Provider.ResultAsync(play, job, submission, null) : Provider.FailureAsync(play, job, submission)));
        // The first final result of the current attempt counts; what comes after it, or from another attempt, is a remark.
        if (job.End is not null || Attempt != job.Attempt || job.Stage is "queued" or "fetching")
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
            Provider.EndUnseen(play, job, mayStay: false);
        }
        else
        {
            var stage = play.After(job).Stage;
            Play.Expect(stage == "fetching", $"{job.Label} is {stage} after its video was reported");
        }
    }
}
