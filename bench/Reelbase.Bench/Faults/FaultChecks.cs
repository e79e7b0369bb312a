using System.Globalization;
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
            new("what was answered as accepted is there", [.. tally.Accepted.Keys.Where(job => !jobs.Contains(job)).Select(job => job.ToString())]),
            new(
                "each job has one charge (a retry none), gives back no more than it took, and all of it if it failed",
                await RowsAsync(
                    world,
                    """
                    select j.job_id, j.status, j.credits_charged, j.credits_returned, coalesce(sum(q.change), 0)
                    from video_jobs j left join quota_log q using (job_id) group by j.job_id
                    having count(*) filter (where q.reason = 'video_generation') <> (not j.paid_by_house)::integer
                      or count(*) filter (where q.reason = 'generation_failed_refund') > (j.status = 'failed')::integer
                      or j.credits_charged <> j.credits_used or j.credits_returned not between 0 and j.credits_charged
                      or (j.status = 'failed' and j.credits_returned <> j.credits_charged)
                      or coalesce(sum(q.change), 0) <> j.credits_returned - j.credits_charged
                    """
                )
            ),
            new("what support was answered is in the ledger, once", await SupportAsync(world, tally)),
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
            new("no submission made two jobs at its provider", Twice(world, tally)),
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

    /// <summary>Every prompt is of one press and its retries by support; a provider that has more jobs of it was asked twice.</summary>
    private static List<string> Twice(FaultWorld world, FaultTally tally)
    {
        var services = world.Simulators.Services;
        return services
            .GetRequiredService<FalState>()
            .Requests.Values.Select(request => request.Prompt)
            .Concat(services.GetRequiredService<RunwayState>().Created.Select(task => task.Prompt))
            .GroupBy(prompt => prompt)
            .Where(group => group.Count() > 1 + tally.Retries.GetValueOrDefault(group.Key))
            .Select(group => $"{group.Count()} times: {group.Key}")
            .ToList();
    }

    /// <summary>A refund or adjustment that was answered is there; one whose answer was lost was repeated under its key, so there is no other.</summary>
    private static async Task<List<string>> SupportAsync(FaultWorld world, FaultTally tally)
    {
        var refunds = await world.RowsAsync("select job_id, sum(change) from quota_log where reason = 'admin_refund' group by 1");
        var adjustments = await world.RowsAsync(
            "select user_id, sum(change) from quota_log where reason = 'admin_adjustment' and transaction_id is null group by 1"
        );
        List<string> Compare(string what, List<string[]> rows, IReadOnlyDictionary<Guid, int> answered)
        {
            var found = rows.ToDictionary(row => Guid.Parse(row[0]), row => int.Parse(row[1], CultureInfo.InvariantCulture));
            return
            [
                .. found
                    .Keys.Union(answered.Keys)
                    .Where(id => found.GetValueOrDefault(id) != answered.GetValueOrDefault(id))
                    .Select(id => $"{what} {id}: {found.GetValueOrDefault(id)} in the ledger, {answered.GetValueOrDefault(id)} answered"),
            ];
        }
        return [.. Compare("refunds of job", refunds, tally.Refunds), .. Compare("adjustments of user", adjustments, tally.Adjustments)];
    }

    private static async Task<List<string>> FilesAsync(FaultWorld world)
    {
        var rows = await world.RowsAsync("select bucket || '/' || name, state from storage_objects");
        var known = rows.Select(row => row[0]).ToHashSet();
        var onDisk = Directory
            .EnumerateFiles(world.StorageDirectory, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(world.StorageDirectory, file))
            // What is half written, and the marks that say whose the store is and which folder.
            .Where(name => !name.StartsWith(".tmp", StringComparison.Ordinal) && name is not ("reelbase-installation" or "reelbase-folder"))
            .ToHashSet();
        return
        [
            .. onDisk.Except(known).Select(name => "without a row: " + name),
            .. rows.Where(row => row[1] == "stored" && !onDisk.Contains(row[0])).Select(row => "without a file: " + row[0]),
        ];
    }

    private static async Task<List<string>> RowsAsync(FaultWorld world, string sql) => [.. (await world.RowsAsync(sql)).Select(row => string.Join(' ', row))];
}
