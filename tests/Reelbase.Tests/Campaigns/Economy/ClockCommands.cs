namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>A worker is frozen, or dies: its lease runs out.</summary>
public sealed record LeaseExpires(string Name) : Command
{
    public override string Line => $"the lease of {Name} runs out";

    public override async Task PlayAsync(Play play)
    {
        if (play.World.Jobs.TryGetValue(Name, out var job) && job.LeasedBy.Length > 0)
        {
            job.HasLiveLease = false;
            await play.AsOwnerAsync(
                "update video_jobs set lease_until = clock_timestamp() - interval '1 second', run_after = least(run_after, clock_timestamp()) where job_id = $1 and leased_by is not null",
                job.Id
            );
        }
    }
}

/// <summary>The time comes at which a job is to be polled.</summary>
public sealed record TimePasses(string Name) : Command
{
    public override string Line => $"{Name} is due";

    public override async Task PlayAsync(Play play)
    {
        if (play.World.Jobs.TryGetValue(Name, out var job) && job.End is null)
        {
            await play.AsOwnerAsync("update video_jobs set run_after = clock_timestamp() where job_id = $1", job.Id);
        }
    }
}

/// <summary>A job's deadline passes.</summary>
public sealed record DeadlinePasses(string Name) : Command
{
    public override string Line => $"the deadline of {Name} passes";

    public override async Task PlayAsync(Play play)
    {
        if (play.World.Jobs.TryGetValue(Name, out var job) && job.End is null)
        {
            await play.AsOwnerAsync(
                "update video_jobs set deadline_at = clock_timestamp() - interval '1 second', run_after = clock_timestamp() where job_id = $1",
                job.Id
            );
        }
    }
}

/// <summary>A month passes for a job; retention may take it.</summary>
public sealed record MonthPasses(string Name) : Command
{
    public override string Line => $"{Name} is a month old";

    public override async Task PlayAsync(Play play)
    {
        if (play.World.Jobs.TryGetValue(Name, out var job))
        {
            job.IsOld = true;
            await play.AsOwnerAsync("update video_jobs set created_at = created_at - interval '30 days' where job_id = $1", job.Id);
        }
    }
}

/// <summary>The cleanup runs until it finds nothing.</summary>
public sealed record CleanUp : Command
{
    private const string Rules = """{"video_days":7,"rate_limit_days":7,"error_days":30,"payload_days":30}""";

    public override string Line => "the cleanup runs";

    public override async Task PlayAsync(Play play)
    {
        // Whatever a claim put off for some minutes has passed in a month too.
        await play.AsOwnerAsync(
            "update video_jobs set run_after = clock_timestamp() where user_id = any ($1) and stage = 'finished' and run_after > clock_timestamp()",
            play.World.UserIds
        );
        foreach (var kind in new[] { "videos", "idempotency", "sessions" })
        {
            for (var left = 1L; left > 0; )
            {
                var outcome = Play.Good(await play.AsWorkerAsync("select clean_up($1, $2::jsonb, 2, false)", kind, Rules));
                left = (long)outcome.Value!;
            }
        }
        foreach (var job in play.World.Jobs.Values.Where(job => job is { IsOld: true, IsDeleted: false, End: not null }))
        {
            DeleteJob.Erase(play, job);
        }
    }
}
