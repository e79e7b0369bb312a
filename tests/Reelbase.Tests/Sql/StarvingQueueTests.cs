using System.Text.Json.Nodes;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>One ambiguous and one slow job held both places of a provider while others expired unsent: an ambiguous one gives its place back, what expires is alerted at once, and everybody sees how long it takes.</summary>
[Quick]
[Collection(JobClaimTests.Queue)]
public sealed class StarvingQueueTests(SqlDatabase database)
{
    private const string Rules = """{"fal": {"concurrency": 2}}""";

    private static Task<List<string>> ClaimAsync(SqlCase db, string token) =>
        db.RowsAsync($"select job_id from claim_video_jobs('{token}', 60, 9, '{Rules}') where stage = 'queued'");

    private static async Task<List<Guid>> PressAsync(SqlCase db, int count)
    {
        await db.RunAsync(
            "insert into provider_states (provider, is_configured) values ('fal', true) on conflict (provider) do update set is_configured = true"
        );
        var jobs = new List<Guid>();
        for (var number = 0; number < count; number++)
        {
            jobs.Add(await db.PressAsync(await db.NewUserAsync(100)));
        }
        return jobs;
    }

    private static async Task SubmitAsync(SqlCase db, Guid job, string token, string age)
    {
        await db.RunAsync("select begin_submission($1, $2, 900)", job, token);
        await db.RunAsync("update video_jobs set submitted_at = clock_timestamp() - $2::interval where job_id = $1", job, age);
    }

    [Fact]
    public async Task An_ambiguous_submission_holds_its_place_no_longer_than_the_model_usually_takes_and_at_least_a_minute()
    {
        await using var db = await database.BeginAsync();
        var jobs = await PressAsync(db, 5);
        var first = await ClaimAsync(db, "one");
        Assert.Equal(2, first.Count);
        var (lost, slow) = (Guid.Parse(first[0]), Guid.Parse(first[1]));
        await SubmitAsync(db, lost, "one", "20 seconds");
        await SubmitAsync(db, slow, "one", "10 minutes");
        await db.RunAsync(
            "select record_submission_accepted((select id from job_submissions where job_id = $1), 'one', 'request', null, null, null, 600)",
            slow
        );
        await db.RunAsync("select record_submission_ambiguous($1, 'one', 'cut', null)", lost);
        Assert.Empty(await ClaimAsync(db, "two"));
        // The slow one is with the provider and keeps its place; the ambiguous one has had its minute.
        await db.RunAsync("update video_jobs set submitted_at = clock_timestamp() - interval '70 seconds' where job_id = $1", lost);
        Assert.Single(await ClaimAsync(db, "three"));
        Assert.Empty(await ClaimAsync(db, "four"));
        Assert.Equal("ambiguous", await db.ValueAsync<string>("select stage from video_jobs where job_id = $1", lost));
        Assert.Equal(5, jobs.Count);
    }

    [Fact]
    public async Task A_slow_models_ambiguous_submission_holds_its_place_as_long_as_its_95th_percentile()
    {
        await using var db = await database.BeginAsync();
        await PressAsync(db, 3);
        var claimed = (await ClaimAsync(db, "one")).Select(Guid.Parse).ToList();
        await db.RunAsync("update models set slow_seconds = 400 where id = $1", Guid.Parse(Catalog.FastModel));
        foreach (var job in claimed)
        {
            await SubmitAsync(db, job, "one", "300 seconds");
            await db.RunAsync("select record_submission_ambiguous($1, 'one', 'cut', null)", job);
        }
        Assert.Empty(await ClaimAsync(db, "two"));
        await db.RunAsync("update video_jobs set submitted_at = clock_timestamp() - interval '410 seconds' where job_id = $1", claimed[0]);
        Assert.Single(await ClaimAsync(db, "three"));
    }

    [Fact]
    public async Task A_job_that_expires_in_the_queue_is_alerted_at_once_once_an_hour_with_what_the_queue_is_like()
    {
        await UtcTime.SameHourAsync();
        await using var db = await database.BeginAsync();
        var jobs = await PressAsync(db, 3);
        await db.RunAsync("delete from alerts where kind = 'queue_expired'");
        await db.RunAsync("update provider_states set places = 2 where provider = 'fal'");
        await db.RunAsync("update video_jobs set deadline_at = clock_timestamp() where job_id = any ($1)", jobs.ToArray());
        foreach (var job in jobs)
        {
            Assert.True(await db.ValueAsync<bool>("select fail_video_job($1, null, 'ERR_5002', 'the job was never served')", job));
        }
        var alert = Assert.Single(await db.RowsAsync("select message from alerts where kind = 'queue_expired' and dedupe_key like 'fal:%'"));
        Assert.Contains("places are held", alert, StringComparison.Ordinal);
        // One that somebody cancels says nothing of the queue.
        await db.RunAsync("delete from alerts where kind = 'queue_expired'");
        Assert.True(await db.ValueAsync<bool>("select fail_video_job($1, null, 'ERR_5002', 'cancelled')", (await PressAsync(db, 1))[0]));
        Assert.Empty(await db.RowsAsync("select message from alerts where kind = 'queue_expired'"));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task Figures_of_a_queue_and_estimates_of_a_job_go_by_what_the_model_took_in_the_last_day()
    {
        await using var db = await database.BeginAsync();
        var jobs = await PressAsync(db, 6);
        await db.RunAsync("update models set seconds_measured_at = null where id = $1", Guid.Parse(Catalog.FastModel));
        await db.RunAsync(
            "update video_jobs set stage = 'finished', status = 'completed', submitted_at = clock_timestamp() - interval '100 seconds', completed_at = clock_timestamp() - interval '60 seconds', video_url = 'x' where job_id = $1",
            jobs[0]
        );
        await db.RunAsync("select internal.measure_model_seconds($1)", Guid.Parse(Catalog.FastModel));
        Assert.Equal(
            ["40|40"],
            await db.RowsAsync("select round(usual_seconds), round(slow_seconds) from models where id = $1", Guid.Parse(Catalog.FastModel))
        );
        await ClaimAsync(db, "one");
        var queue = JsonNode.Parse(await db.ValueAsync<string>("select internal.describe_queue('fal')::text"))!;
        Assert.Equal((2, 2, 3), ((int)queue["places"]!, (int)queue["held"]!, (int)queue["waiting"]!));
        // Three wait before a newcomer and both places are held: two rounds of forty seconds.
        Assert.Equal(80, (int)queue["expected_seconds"]!);
        Assert.Equal(
            ["0|40", "1|80", "2|80"],
            await db.RowsAsync(
                "select p.place, internal.estimate_job_seconds(j, p.place) from video_jobs j, internal.queue_position(j.job_id) p (place) where p.place is not null order by 1"
            )
        );
        var ended = await db.RowsAsync("select coalesce(job_seconds($1, null)::text, 'none')", jobs[0]);
        Assert.Equal(["none"], ended);
    }
}
