using System.Globalization;
using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>A long queue: positions from marks, what is committed late, and what a claim and a question touch, however many wait.</summary>
[Quick]
[Collection(JobClaimTests.Queue)]
public sealed partial class QueueKeepingTests(SqlDatabase database)
{
    private const int Users = 600;
    private const int Jobs = 6000;

    private const string Claim =
        """select * from claim_video_jobs('token', 600, 16, '{"fal": {"concurrency": 100000, "room": {"submit": 4, "poll": 4, "fetch": 4, "settle": 4}}, "*": {"reads_model_rows": true}}')""";

    /// <summary>Jobs of guests, members and premium users as they would stand after as many presses, in no time.</summary>
    private static async Task FillAsync(SqlCase db, int jobs)
    {
        await db.RunAsync(
            $"insert into users (id, is_guest, apple_sub, tier) select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n % 3 = 0, case when n % 3 <> 0 then 'queue' || n end, case when n % 10 = 1 then 'premium' else 'free' end from generate_series(1, {Users}) n on conflict do nothing"
        );
        await db.RunAsync(
            $"insert into video_jobs (user_id, job_id, model_id, provider) select ('00000000-0000-4000-8000-' || lpad((1 + n * 7919 % {Users})::text, 12, '0'))::uuid, internal.uuid_v7(), '{Catalog.FastModel}', 'fal' from generate_series(1::bigint, {jobs}) n"
        );
    }

    [Theory]
    [InlineData("free", true)]
    [InlineData("free", false)]
    [InlineData("premium", false)]
    public async Task A_press_stamps_its_job_as_the_trigger_of_the_table_stamps_one(string tier, bool isGuest)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(1000, tier, isGuest);
        foreach (var served in (int[])[0, 700, 900])
        {
            await db.RunAsync(
                "insert into queue_lanes (provider, lane, served_key) select 'fal', lane, ($1 + place) << 26 from unnest(array['guest', 'member', 'premium']) with ordinality l (lane, place) on conflict (provider, lane) do update set served_key = excluded.served_key",
                (long)served
            );
            // Somebody who waits keeps their ticket, so both stamps are the same to the last bit.
            await db.PressAsync(user);
            var stamped = await StampAsync("insert into video_jobs (job_id, user_id, provider) values (internal.uuid_v7(), $1, 'fal') returning job_id", user);
            await db.RunAsync("delete from video_jobs where user_id = $1 and credits_charged = 0", user);
            Assert.Equal(stamped, await StampAsync("select $1::uuid", await db.PressAsync(user)));
        }

        async Task<string> StampAsync(string sql, Guid id) =>
            (await db.RowsAsync("select queue_lane, queue_key from video_jobs where job_id = $1", await db.ValueAsync<Guid>(sql, id)))[0];
    }

    [Fact]
    public async Task Positions_are_exact_up_to_a_thousand_and_within_two_percent_beyond()
    {
        await using var db = await database.BeginAsync();
        await FillAsync(db, Jobs);
        await db.BecomeAsync("reelbase_worker");
        await db.RunAsync("select refresh_queues()");
        await db.BecomeOwnerAsync();
        Assert.Equal(
            ["guest|True", "member|True", "premium|True"],
            await db.RowsAsync("select lane, cardinality(keys) > 8 from queue_marks where provider = 'fal' order by 1")
        );
        await AssertPositionsAsync();
        // What is handed out and what comes after the marks were set is counted in.
        await db.RunAsync($"select count(*) from ({Claim}) c");
        await db.RunAsync($"select count(*) from ({Claim}) c");
        await FillAsync(db, 50);
        await AssertPositionsAsync();

        async Task AssertPositionsAsync()
        {
            var rows = await db.RowsAsync(
                """
                with r as (
                  select job_id, queue_lane = 'premium' as is_premium, row_number() over (partition by queue_lane = 'premium' order by queue_key) - 1 as rank,
                    count(*) filter (where queue_lane = 'premium') over () as premiums, count(*) over () as everybody
                  from video_jobs where provider = 'fal' and stage = 'queued' and leased_by is null),
                t as (select coalesce(max(turns), 0) % 4 as o from provider_states where provider = 'fal'),
                p as (select job_id, rank + case when is_premium then least((o + rank) / 3, everybody - premiums) else least(3 - o + 3 * rank, premiums) end as place from r, t)
                select place, internal.queue_position(job_id) from p where place % 17 = 0 order by place
                """
            );
            Assert.True(rows.Count > 300);
            Assert.All(
                rows.Select(row => row.Split('|').Select(value => int.Parse(value, CultureInfo.InvariantCulture)).ToArray()),
                row => Assert.InRange(row[1], row[0] - (row[0] <= 1000 ? 0 : row[0] / 50), row[0] + (row[0] <= 1000 ? 0 : row[0] / 50))
            );
            // From memory: the same as far as both are exact, and no further from each other than the two may be off.
            var positions = await RememberedQueue.PositionsAsync(db, 17);
            Assert.Contains(positions, position => position.Computed > 4000);
            Assert.All(positions, position => Assert.InRange(position.Remembered - position.Computed, -Off(position.Computed), Off(position.Computed)));

            static int Off(int position) => position <= 1000 ? 0 : position / 33;
        }
    }

    [Fact]
    public async Task A_job_that_was_committed_behind_the_place_from_which_its_lane_is_read_is_found()
    {
        await using var db = await database.BeginAsync();
        await FillAsync(db, 40);
        var late = await db.ValueAsync<Guid>(
            "select job_id from video_jobs where queue_lane = 'member' and stage = 'queued' order by queue_key offset 3 limit 1"
        );
        await db.RunAsync(
            "insert into queue_lanes (provider, lane, served_key, from_key, next_key) select 'fal', 'member', queue_key + 1, queue_key + 1, queue_key + 1 from video_jobs where job_id = $1",
            late
        );
        Assert.DoesNotContain(late.ToString(), await db.RowsAsync("select job_id from internal.next_in_queue('fal', 1000, true)"));
        await db.RunAsync("select refresh_queues()");
        Assert.Equal(["member_retry"], await db.RowsAsync("select queue_lane from video_jobs where job_id = $1", late));
        Assert.Contains(late.ToString(), await db.RowsAsync("select job_id from internal.next_in_queue('fal', 1000, true)"));
        // Nothing is left behind the place from which the lane is read.
        Assert.Equal(
            ["0"],
            await db.RowsAsync(
                "select count(*) from video_jobs j join queue_lanes l on l.provider = j.provider and l.lane = j.queue_lane where j.stage = 'queued' and j.queue_key < l.from_key"
            )
        );
        await db.RunAsync("select refresh_queues()");
    }

    /// <summary>In pages, so that no machine's speed counts; the plans are those of a connection that saw the queue empty first.</summary>
    [Fact]
    public async Task What_a_claim_and_a_question_read_does_not_grow_with_the_queue()
    {
        // What other cases have rolled back fills the pages of a shared queue for as long as any transaction is open.
        await using var own = new SqlDatabase();
        await using var db = await own.BeginAsync();
        var pages = new List<(long Claim, long Position)>();
        foreach (var jobs in new[] { 80, 400, Jobs })
        {
            await FillAsync(db, jobs);
            await db.RunAsync("update queue_marks set marked_at = now() - interval '1 minute'");
            await db.RunAsync("select refresh_queues()");
            var (claim, position) = (long.MaxValue, long.MaxValue);
            for (var attempt = 0; attempt < 8; attempt++)
            {
                var job = await db.ValueAsync<Guid>(
                    "select job_id from video_jobs where stage = 'queued' and leased_by is null and queue_lane = 'member' order by queue_key desc limit 1"
                );
                position = Math.Min(position, await PagesAsync($"select internal.queue_position('{job}')"));
                claim = Math.Min(claim, await PagesAsync(Claim));
                // Handed over and over: what is held has to be counted, and is not what this is about.
                await db.RunAsync(
                    "update video_jobs set stage = 'finished', status = 'completed', completed_at = now(), leased_by = null, lease_until = null where leased_by is not null"
                );
            }
            pages.Add((claim, position));
        }
        Assert.All(pages, page => Assert.InRange(page.Claim, 1, 1200));
        Assert.All(pages, page => Assert.InRange(page.Position, 1, 900));

        async Task<long> PagesAsync(string query)
        {
            var plan = await db.RowsAsync($"explain (analyze, buffers, timing off, costs off, summary off) {query}");
            var line = plan.First(row => row.Contains("Buffers:", StringComparison.Ordinal));
            return Buffers().Matches(line).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        }
    }

    [GeneratedRegex(@"(?:hit|read)=(\d+)")]
    private static partial Regex Buffers();
}
