using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>Whose word on a job counts: the claim that holds it, at the stage that it expects, about the submission that is the current attempt.</summary>
[Quick]
[Collection(Queue)]
public sealed class JobClaimTests(SqlDatabase database)
{
    /// <summary>Only one at a time hands out places, so cases that claim take turns.</summary>
    public const string Queue = "queue";

    private const string Rules = """{"fal": {"concurrency": 99}}""";

    [Fact]
    public async Task A_late_answer_keeps_the_providers_id_and_does_not_move_a_job_that_another_claim_holds()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        await ExpireAsync(db, job);
        Assert.Equal("submitting", await ClaimAsync(db, job, "two"));
        await AcceptAsync(db, submission, "one", "request");
        Assert.Equal("submitting|two|request", await StateAsync(db, job));
        // The other claim meant to call it ambiguous, and finds the answer.
        await db.RunAsync("select record_submission_ambiguous($1, 'two', 'the worker ended', 60)", job);
        Assert.Equal("submitted||request", await StateAsync(db, job));
    }

    [Fact]
    public async Task An_answer_that_comes_after_its_submission_was_called_ambiguous_gives_the_job_its_whole_time_back()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        await ExpireAsync(db, job);
        Assert.Equal("submitting", await ClaimAsync(db, job, "two"));
        // Without webhooks nothing is waited for: the job would end after a minute.
        await db.RunAsync("select record_submission_ambiguous($1, 'two', 'the worker stood still', 60)", job);
        Assert.Equal("ambiguous||", await StateAsync(db, job));
        await AcceptAsync(db, submission, "one", "request");
        Assert.Equal("submitted||request", await StateAsync(db, job));
        Assert.True(
            await db.ValueAsync<bool>(
                "select j.deadline_at = s.deadline_at and s.deadline_at > j.submitted_at + interval '10 minutes' from video_jobs j join job_submissions s using (job_id) where job_id = $1",
                job
            )
        );
    }

    [Fact]
    public async Task A_refusal_that_comes_late_puts_nothing_back_into_the_queue()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        await ExpireAsync(db, job);
        await ClaimAsync(db, job, "two");
        await db.RunAsync("select record_submission_refused($1, 'one', 'busy', 0, 1800)", submission);
        Assert.Equal("submitting|two|", await StateAsync(db, job));
        Assert.False(await db.ValueAsync<bool>("select record_submission_rejected($1, 'one', 'ERR_5003', 'm', 'no')", submission));
        Assert.Equal("submitting|two|", await StateAsync(db, job));
    }

    [Fact]
    public async Task A_final_poll_that_overlaps_a_success_webhook_neither_fails_nor_releases_the_job()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        await AcceptAsync(db, submission, "one", "request");
        await db.RunAsync("update video_jobs set deadline_at = clock_timestamp() where job_id = $1", job);
        Assert.Equal("submitted", await ClaimAsync(db, job, "the last poll"));
        Assert.Equal("fetching", await DeliverAsync(db, submission, "request", "succeeded"));
        Assert.Equal("fetching", await ClaimAsync(db, job, "the fetcher"));
        foreach (var stage in (string[])["submitted", "fetching"])
        {
            Assert.Equal("lost", await FailAsync(db, submission, "the last poll", stage));
            await db.RunAsync("select reschedule_video_job($1, 'the last poll', 5, false, $2)", job, stage);
        }
        Assert.Equal(
            "ignored",
            await db.ValueAsync<string>("select record_video_success($1, 'the last poll', 'request', 'https://x/v.mp4', null)", submission)
        );
        // Nor does the right claim with the wrong idea of the stage.
        Assert.Equal("lost", await FailAsync(db, submission, "the fetcher", "submitted"));
        Assert.Equal("fetching|the fetcher|request", await StateAsync(db, job));
        Assert.True(await db.ValueAsync<bool>("select renew_video_job_lease($1, 'the fetcher', 60)", job));
        Assert.False(await db.ValueAsync<bool>("select renew_video_job_lease($1, 'the last poll', 60)", job));
        Assert.True(await db.ValueAsync<bool>("select complete_video_job($1, 'the fetcher', 'v.mp4', 1, 'video/mp4', null, null, null)", job));
        Assert.Equal("ended", await FailAsync(db, submission, "the last poll", "submitted"));
        Assert.Equal(92, await db.ValueAsync<int>("select credits_remaining from users u join video_jobs j on j.user_id = u.id where j.job_id = $1", job));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task What_is_said_of_an_earlier_attempt_is_kept_and_moves_nothing()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var first = await SubmitAsync(db, job, "one");
        await db.RunAsync("select record_submission_refused($1, 'one', 'busy', 0, 1800)", first);
        // The provider had made a job of it all the same; it fails while the next attempt waits in the queue, and again while that one runs.
        Assert.Equal("stale", await DeliverAsync(db, first, "first", "failed"));
        var second = await SubmitAsync(db, job, "two");
        await AcceptAsync(db, second, "two", "second");
        Assert.Equal("stale", await DeliverAsync(db, first, "first", "failed"));
        Assert.Equal("submitted||second", await StateAsync(db, job));
        Assert.Equal("stale", await DeliverAsync(db, first, "first", "succeeded"));
        Assert.Equal("late_success", await db.ValueAsync<string>("select outcome from job_submissions where id = $1", first));
        Assert.Equal("submitted||second", await StateAsync(db, job));
        // Another submission's event at this address is nobody's.
        Assert.Equal("unmatched", await DeliverAsync(db, second, "first", "failed"));
        Assert.Equal("unmatched", await DeliverAsync(db, second, "first", "succeeded"));
        Assert.Equal("failed", await DeliverAsync(db, second, "second", "failed"));
        Assert.Equal("finished||second", await StateAsync(db, job));
        Assert.Equal("late", await DeliverAsync(db, second, "second", "succeeded"));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task An_event_and_its_effect_are_one_and_only_the_claim_that_holds_it_does_it()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        await AcceptAsync(db, submission, "one", "request");
        var delivery = await StoreAsync(db, submission, "request");
        Assert.Equal(delivery, await db.ValueAsync<long>("select id from claim_webhook_deliveries('one', 60, 9, 20)"));
        Assert.Equal("lost", await ApplyAsync(db, delivery, "another", "failed"));
        Assert.Equal("submitted||request", await StateAsync(db, job));
        Assert.Equal("failed", await ApplyAsync(db, delivery, "one", "failed"));
        Assert.Equal("processed", await db.ValueAsync<string>("select status from webhook_deliveries where id = $1", delivery));
        Assert.Equal("lost", await ApplyAsync(db, delivery, "one", "failed"));
    }

    [Fact]
    public async Task An_event_that_turns_out_to_be_anothers_is_finished_before_anybody_is_asked_about_it()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        var delivery = await StoreAsync(db, submission, "somebody else's");
        await AcceptAsync(db, submission, "one", "request");
        Assert.Empty(await db.RowsAsync("select id from claim_webhook_deliveries('one', 60, 9, 20)"));
        Assert.Equal(
            ["processed|the event is about another request than the one this address was made for"],
            await db.RowsAsync("select status, last_error from webhook_deliveries where id = $1", delivery)
        );
    }

    [Fact]
    public async Task A_job_that_kills_its_workers_comes_later_each_time_and_ends_refunded_with_one_alert()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var pauses = new List<double>();
        for (var claim = 1; claim <= 6; claim++)
        {
            await db.RunAsync("update video_jobs set run_after = clock_timestamp(), lease_until = lease_until - interval '1 hour' where job_id = $1", job);
            Assert.Equal([$"{claim}"], await db.RowsAsync($"select stalled_claims from claim_video_jobs('claim {claim}', 60, 9, '{Rules}')"));
            pauses.Add(
                await db.ValueAsync<double>(
                    "select round(extract(epoch from run_after - clock_timestamp()) / 30)::float * 30 from video_jobs where job_id = $1",
                    job
                )
            );
        }
        Assert.Equal([60, 120, 240, 480, 480, 480], pauses);
        // Past its deadline it does not come any sooner.
        await db.RunAsync("update video_jobs set deadline_at = clock_timestamp(), lease_until = lease_until - interval '1 hour' where job_id = $1", job);
        Assert.Empty(await db.RowsAsync($"select job_id from claim_video_jobs('sooner', 60, 9, '{Rules}')"));
        Assert.False(await db.ValueAsync<bool>("select give_up_video_job($1, 'claim 5', 'ERR_6003', 'm')", job));
        Assert.True(await db.ValueAsync<bool>("select give_up_video_job($1, 'claim 6', 'ERR_6003', 'm')", job));
        Assert.Equal(
            ["failed|ERR_6003|8|8"],
            await db.RowsAsync("select status, error_code, credits_charged, credits_returned from video_jobs where job_id = $1", job)
        );
        Assert.Equal(1, await db.ValueAsync<long>("select count(*) from alerts where kind = 'dead_work' and dedupe_key = 'video_jobs:' || $1", job));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task Whatever_is_recorded_of_a_job_starts_its_count_anew()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        Assert.Equal(0, await StalledAsync(db, job));
        await AcceptAsync(db, submission, "one", "request");
        await db.RunAsync("update video_jobs set run_after = clock_timestamp() where job_id = $1", job);
        await ClaimAsync(db, job, "two");
        Assert.Equal(1, await StalledAsync(db, job));
        await db.RunAsync("select reschedule_video_job($1, 'two', 5, false, 'submitted')", job);
        Assert.Equal(0, await StalledAsync(db, job));
    }

    [Fact]
    public async Task A_job_that_cannot_even_be_ended_properly_still_ends_and_frees_its_place()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        await SubmitAsync(db, job, "one");
        await db.RunAsync(
            """
            create function raise_for_test() returns trigger language plpgsql as $$ begin raise exception 'poison' using errcode = '23505'; end $$;
            """
        );
        await db.RunAsync("create trigger poison before update on job_submissions for each row execute function raise_for_test()");
        Assert.True(await db.ValueAsync<bool>("select give_up_video_job($1, 'one', 'ERR_6003', 'm')", job));
        Assert.Equal("finished||", await StateAsync(db, job));
        Assert.Contains(
            "23505",
            await db.ValueAsync<string>("select message from alerts where dedupe_key = 'video_jobs:' || $1", job),
            StringComparison.Ordinal
        );
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task An_event_that_kills_its_workers_is_failed_with_one_alert_and_nothing_waits_behind_it()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        var poison = await StoreAsync(db, submission, "request");
        for (var claim = 1; claim <= 3; claim++)
        {
            Assert.Equal(poison, await db.ValueAsync<long>($"select id from claim_webhook_deliveries('claim {claim}', 60, 1, 3)"));
            // Neither the end of its lease alone brings it back at once after the first, nor does it stand before others.
            await db.RunAsync("update webhook_deliveries set lease_until = lease_until - interval '1 hour' where id = $1", poison);
            Assert.Empty(await db.RowsAsync("select id from claim_webhook_deliveries('too soon', 60, 1, 3)"));
            await db.RunAsync("update webhook_deliveries set run_after = clock_timestamp() where id = $1", poison);
        }
        var other = await StoreAsync(db, submission, "request", "another event");
        Assert.Equal([$"{other}"], await db.RowsAsync("select id from claim_webhook_deliveries('last', 60, 9, 3)"));
        Assert.Equal("failed", await db.ValueAsync<string>("select status from webhook_deliveries where id = $1", poison));
        Assert.Equal(1, await db.ValueAsync<long>("select count(*) from alerts where kind = 'dead_work' and dedupe_key = 'inbox_messages:' || $1", poison));
        // An operator may have it handled again, with all its claims.
        Assert.True(await db.ValueAsync<bool>("select resend_webhook_delivery($1)", poison));
        Assert.Contains($"{poison}", await db.RowsAsync("select id from claim_webhook_deliveries('again', 60, 9, 3)"));
    }

    [Fact]
    public async Task What_a_provider_rejected_costs_nothing_of_its_days_budget()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var before = await SpentAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        Assert.True(await SpentAsync(db) > before);
        Assert.True(await db.ValueAsync<bool>("select record_submission_rejected($1, 'one', 'ERR_5003', 'm', 'not this')", submission));
        Assert.Equal(before, await SpentAsync(db));
        await db.RunAsync("select record_submission_refused($1, 'one', 'busy', 0, 1800)", submission);
        Assert.Equal(before, await SpentAsync(db));
        Assert.Equal(
            ["failed|ERR_5003|8|refused"],
            await db.RowsAsync(
                "select j.status, j.error_code, j.credits_returned, s.outcome from video_jobs j join job_submissions s on s.job_id = j.job_id where j.job_id = $1",
                job
            )
        );
    }

    [Fact]
    public async Task A_settlement_counts_for_the_claim_that_asked_last()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        await AcceptAsync(db, submission, "one", "request");
        await db.RunAsync("update video_jobs set run_after = clock_timestamp() where job_id = $1", job);
        await ClaimAsync(db, job, "two");
        Assert.Equal(
            "failed",
            await db.ValueAsync<string>("select record_video_failure($1, 'two', 'submitted', 'ERR_5001', 'm', null, 'deadline', null, true)", submission)
        );
        await db.RunAsync("update job_submissions set settle_after = clock_timestamp() where id = $1", submission);
        var asked = await db.ValueAsync<int>("select settle_attempt from claim_unsettled_submissions(1, 300)");
        await db.RunAsync("select settle_submission($1, 'late_success', 7, null, $2)", submission, asked - 1);
        Assert.Equal("failed", await db.ValueAsync<string>("select outcome from job_submissions where id = $1", submission));
        await db.RunAsync("select settle_submission($1, 'late_success', 7, null, $2)", submission, asked);
        Assert.Equal("late_success", await db.ValueAsync<string>("select outcome from job_submissions where id = $1", submission));
    }

    [Fact]
    public async Task A_refusal_for_a_deleted_job_waits_for_the_user_before_it_holds_the_job()
    {
        // What is committed would stand in the other cases' queues.
        await using var own = new SqlDatabase();
        Guid job;
        long submission;
        await using (var db = await own.BeginAsync())
        {
            job = await PressAsync(db);
            submission = await SubmitAsync(db, job, "one");
            await db.RunAsync("update video_jobs set deleted_at = clock_timestamp() where job_id = $1", job);
            await db.CommitAsync();
        }
        await using var deleting = await own.BeginAsync();
        await deleting.RunAsync("select 1 from users u join video_jobs j on j.user_id = u.id where j.job_id = $1 for no key update of u", job);
        await using var refusing = await own.BeginAsync();
        var backend = await refusing.ValueAsync<int>("select pg_backend_pid()");
        var refusal = refusing.RunAsync("select record_submission_refused($1, 'one', 'busy', 0, 1800)", submission);
        await Eventually.IsAsync(() => deleting.ValueAsync<bool>("select cardinality(pg_blocking_pids($1)) > 0", backend), isBlocked => isBlocked);
        // Whoever holds the user row gets the job: two orders would have been a deadlock here.
        await deleting.RunAsync("select 1 from video_jobs where job_id = $1 for no key update nowait", job);
        await deleting.DisposeAsync();
        await refusal;
        Assert.Equal("finished||", await StateAsync(refusing, job));
        await refusing.CommitAsync();
    }

    [Fact]
    public async Task A_job_that_was_cancelled_while_its_provider_refused_it_is_not_handed_over_again()
    {
        await using var db = await database.BeginAsync();
        var job = await PressAsync(db);
        var submission = await SubmitAsync(db, job, "one");
        // As admin_cancel_job leaves a job that is just being submitted.
        await db.RunAsync("update video_jobs set cancel_requested_at = clock_timestamp() where job_id = $1", job);
        await db.RunAsync("select record_submission_refused($1, 'one', 'busy', 0, 1800)", submission);
        Assert.Equal(
            ["finished|failed|ERR_5002|8|8"],
            await db.RowsAsync("select stage, status, error_code, credits_charged, credits_returned from video_jobs where job_id = $1", job)
        );
        Assert.Null(await ClaimAsync(db, job, "two"));
    }

    private static async Task<Guid> PressAsync(SqlCase db)
    {
        // Nothing of other cases is seen here, and nothing of this one by others.
        var job = await db.PressAsync(await db.NewUserAsync(100));
        return job;
    }

    private static async Task<long> SubmitAsync(SqlCase db, Guid job, string token)
    {
        Assert.Equal("queued", await ClaimAsync(db, job, token));
        return await db.ValueAsync<long>("select submission_id from begin_submission($1, $2, 900)", job, token);
    }

    private static async Task<string> ClaimAsync(SqlCase db, Guid job, string token)
    {
        await db.RunAsync("update video_jobs set run_after = clock_timestamp() where job_id = $1", job);
        return await db.ValueAsync<string>($"select stage from claim_video_jobs($1, 60, 9, '{Rules}') where job_id = $2", token, job);
    }

    private static Task ExpireAsync(SqlCase db, Guid job) =>
        db.RunAsync("update video_jobs set lease_until = clock_timestamp() - interval '1 second' where job_id = $1", job);

    private static Task AcceptAsync(SqlCase db, long submission, string token, string request) =>
        db.RunAsync("select record_submission_accepted($1, $2, $3, 'https://s', 'https://r', 'https://c', 5)", submission, token, request);

    private static Task<string> FailAsync(SqlCase db, long submission, string token, string stage) =>
        db.ValueAsync<string>("select record_video_failure($1, $2, $3, 'ERR_5001', 'm', null, 'deadline', null, true)", submission, token, stage);

    private static async Task<long> StoreAsync(SqlCase db, long submission, string request, string? name = null) =>
        await db.ValueAsync<long>(
            """
            insert into webhook_deliveries (provider, event_id, event_type, payload, provider_job_id, job_id, user_id, submission_id, run_after)
            select 'fal', $2, 'OK', '{}', $3, job_id, user_id, id, clock_timestamp() from job_submissions where id = $1 returning id
            """,
            submission,
            name ?? Guid.NewGuid().ToString(),
            request
        );

    /// <summary>An event that was believed when it came, carried out.</summary>
    private static async Task<string> DeliverAsync(SqlCase db, long submission, string request, string outcome)
    {
        var delivery = await StoreAsync(db, submission, request);
        await db.RunAsync(
            "update webhook_deliveries set leased_by = 'the webhook', lease_until = clock_timestamp() + interval '1 minute' where id = $1",
            delivery
        );
        return await ApplyAsync(db, delivery, "the webhook", outcome);
    }

    private static Task<string> ApplyAsync(SqlCase db, long delivery, string token, string outcome) =>
        db.ValueAsync<string>("select apply_webhook_delivery($1, $2, $3, 'https://x/v.mp4', 'ERR_5002', 'm', 'it failed', null)", delivery, token, outcome);

    private static async Task<string> StateAsync(SqlCase db, Guid job) =>
        (await db.RowsAsync("select stage, leased_by, provider_job_id from video_jobs where job_id = $1", job))[0];

    private static Task<int> StalledAsync(SqlCase db, Guid job) => db.ValueAsync<int>("select stalled_claims from video_jobs where job_id = $1", job);

    private static Task<long> SpentAsync(SqlCase db) =>
        db.ValueAsync<long>("select coalesce(sum(micros), 0)::bigint from provider_spend where provider = 'fal'");
}
