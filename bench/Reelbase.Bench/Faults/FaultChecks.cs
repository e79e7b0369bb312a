using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.Fal;
using Reelbase.Simulators.Runway;

namespace Reelbase.Bench.Faults;

/// <summary>One promise, and what breaks it.</summary>
public sealed record FaultCheck(string Promise, IReadOnlyList<string> Broken);

/// <summary>What must hold when everything has come to rest.</summary>
public static class FaultChecks
{
    private const int RestLimitSeconds = 180;

    /// <summary>Waits until no work is left, or says what is.</summary>
    public static async Task<FaultCheck> RestAsync(FaultWorld world)
    {
        var ends = DateTime.UtcNow.AddSeconds(RestLimitSeconds);
        while (true)
        {
            var left = await RowsAsync(
                world,
                """
                select 'job', job_id::text, stage from video_jobs where stage <> 'finished'
                union all select 'delivery', id::text, status from webhook_deliveries where status = 'pending'
                union all select 'file', id::text, state from storage_objects where state = 'deleting'
                """
            );
            if (left.Count == 0 || DateTime.UtcNow > ends)
            {
                return new("all work comes to rest", left);
            }
            await Task.Delay(500);
        }
    }

    /// <summary>Every promise.</summary>
    public static async Task<List<FaultCheck>> AllAsync(FaultWorld world, FaultTally tally)
    {
        var jobs = (await world.RowsAsync("select job_id from video_jobs")).Select(row => Guid.Parse(row[0])).ToHashSet();
        return
        [
            new("the sum of each user's ledger is the balance", await RowsAsync(world, "select * from check_ledger()")),
            new("what was answered as accepted is there", [.. tally.Accepted.Where(job => !jobs.Contains(job)).Select(job => job.ToString())]),
            new(
                "each job has one charge, and one refund if and only if it failed",
                await RowsAsync(
                    world,
                    """
                    select j.job_id, j.status, count(*) filter (where q.reason = 'video_generation'), count(*) filter (where q.reason = 'generation_failed_refund')
                    from video_jobs j left join quota_log q using (job_id) group by j.job_id
                    having count(*) filter (where q.reason = 'video_generation') <> 1
                      or count(*) filter (where q.reason = 'generation_failed_refund') <> (j.status = 'failed')::integer
                      or coalesce(sum(q.change), 0) <> case j.status when 'failed' then 0 else -j.credits_used end
                    """
                )
            ),
            new(
                "a charge that was not refunded has its video, or its user deleted it",
                await RowsAsync(
                    world,
                    """
                    select job_id, status from video_jobs j where status <> 'failed' and deleted_at is null
                      and not exists (select from storage_objects o where o.job_id = j.job_id and o.bucket = 'videos' and o.state = 'stored')
                    """
                )
            ),
            new("no submission made two jobs at its provider", Twice(world)),
            new("no file is without a row, and no stored row without its file", await FilesAsync(world)),
            new(
                "no lease is held by the dead",
                await RowsAsync(
                    world,
                    """
                    select 'job', job_id::text, leased_by from video_jobs where leased_by is not null
                    union all select 'delivery', id::text, leased_by from webhook_deliveries where leased_by is not null
                    union all select 'file', id::text, leased_by from storage_objects where leased_by is not null
                    union all select 'grant', id::text, leased_by from device_grants where leased_by is not null and lease_until < now() - interval '10 seconds'
                    """
                )
            ),
            new("no user ever got an answer that is not in the contract", [.. tally.Surprises]),
        ];
    }

    /// <summary>Every prompt is of one press; a provider that has two jobs of it was asked twice.</summary>
    private static List<string> Twice(FaultWorld world)
    {
        var services = world.Simulators.Services;
        return services
            .GetRequiredService<FalState>()
            .Requests.Values.Select(request => request.Prompt)
            .Concat(services.GetRequiredService<RunwayState>().Created.Select(task => task.Prompt))
            .GroupBy(prompt => prompt)
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Count()} times: {group.Key}")
            .ToList();
    }

    private static async Task<List<string>> FilesAsync(FaultWorld world)
    {
        var rows = await world.RowsAsync("select bucket || '/' || name, state from storage_objects");
        var known = rows.Select(row => row[0]).ToHashSet();
        var onDisk = Directory
            .EnumerateFiles(world.StorageDirectory, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(world.StorageDirectory, file))
            .Where(name => !name.StartsWith(".tmp", StringComparison.Ordinal))
            .ToHashSet();
        return
        [
            .. onDisk.Except(known).Select(name => "without a row: " + name),
            .. rows.Where(row => row[1] == "stored" && !onDisk.Contains(row[0])).Select(row => "without a file: " + row[0]),
        ];
    }

    private static async Task<List<string>> RowsAsync(FaultWorld world, string sql) => [.. (await world.RowsAsync(sql)).Select(row => string.Join(' ', row))];
}
