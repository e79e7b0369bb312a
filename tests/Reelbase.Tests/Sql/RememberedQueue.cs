using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Reelbase.Server.Features.Jobs.Queue;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Tests.Sql;

/// <summary>Positions as a node answers them from memory, beside those that PostgreSQL computes.</summary>
internal static class RememberedQueue
{
    private const string Waiting = "provider = 'fal' and stage = 'queued' and leased_by is null and queue_key > 0";

    /// <summary>Every <paramref name="step"/>th job that waits for the first time: its position from memory, and that of <c>queue_position</c>.</summary>
    public static async Task<List<(int Remembered, int Computed)>> PositionsAsync(SqlCase db, int step = 1)
    {
        await db.BecomeAsync("reelbase_worker");
        var rows = await db.ValueAsync<string>("select coalesce(jsonb_agg(to_jsonb(q)), '[]')::text from read_queues('{fal}') q");
        await db.BecomeOwnerAsync();
        var memory = new QueueMemory();
        memory.Keep(JsonSerializer.Deserialize<List<QueueLane>>(rows, Json.Options)!, Stopwatch.GetTimestamp());
        // The one that it was made of, however old it is by now.
        var known = memory.Latest;
        Assert.Equal(["fal"], known.Providers);
        var jobs = await db.RowsAsync(
            $"select queue_lane, queue_key, internal.queue_position(job_id) from (select *, row_number() over (order by queue_lane, queue_key) as number from video_jobs where {Waiting}) j where number % {step} = 0"
        );
        return jobs.ConvertAll(row =>
        {
            var values = row.Split('|');
            return (known.Position("fal", values[0], long.Parse(values[1], CultureInfo.InvariantCulture)), int.Parse(values[2], CultureInfo.InvariantCulture));
        });
    }

    /// <summary>The same position from memory as from PostgreSQL, for every job that waits.</summary>
    public static async Task AssertSameAsync(SqlCase db) =>
        Assert.All(await PositionsAsync(db), position => Assert.Equal(position.Computed, position.Remembered));
}
