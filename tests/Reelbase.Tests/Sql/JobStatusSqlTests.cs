using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>The status of a job in one statement: the same as <c>get_job_status</c> says, for whom it says it, and for nobody else.</summary>
[Quick]
[Collection(JobClaimTests.Queue)]
public sealed class JobStatusSqlTests(SqlDatabase database)
{
    private const string Columns =
        "job_id, status, prompt, model_name, credits_used, video_url, thumbnail_url, error_code, queue_position, created_at, completed_at, language, video_duration_seconds, video_width, video_height, video_fps, video_has_audio";

    private static async Task<Guid> SignInAsync(SqlCase db, Guid user)
    {
        var session = Guid.NewGuid();
        await db.RunAsync("insert into sessions (id, user_id) values ($1, $2)", session, user);
        return session;
    }

    private static async Task<List<string>> FindAsync(SqlCase db, Guid user, Guid session, Guid job, string columns = Columns, string kept = "{}")
    {
        await db.BecomeAsync("reelbase_api");
        var rows = await db.RowsAsync(
            $"select {columns} from find_job_status(array[$1::uuid], array[$2::uuid], array[$3::uuid], $4::text::text[])",
            user,
            session,
            job,
            kept
        );
        await db.BecomeOwnerAsync();
        return rows;
    }

    [Theory]
    [InlineData("")]
    [InlineData("stage = 'submitted', status = 'processing', submitted_at = clock_timestamp() - interval '10 minutes'")]
    [InlineData("stage = 'fetching', status = 'processing'")]
    [InlineData(
        "stage = 'finished', status = 'completed', completed_at = clock_timestamp(), video_url = 'a/b.mp4', video_duration_seconds = 8, video_width = 1280"
    )]
    [InlineData("run_after = clock_timestamp() + interval '1 hour'")]
    [InlineData("leased_by = 'token', lease_until = clock_timestamp() + interval '1 hour'")]
    public async Task It_says_what_the_status_of_the_caller_says(string state)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(100);
        var job = await db.PressAsync(user);
        await db.PressAsync(user);
        if (state != "")
        {
            await db.RunAsync($"update video_jobs set {state} where job_id = $1", job);
        }
        var session = await SignInAsync(db, user);
        var found = await FindAsync(db, user, session, job);
        // What waits is estimated of its position by whoever asks.
        var estimate = await FindAsync(
            db,
            user,
            session,
            job,
            "case when queue_position is null then estimated_seconds else ceil(usual_seconds * (1 + (queue_position + 1) / greatest(places, 1)))::integer end"
        );
        await db.BecomeAsync(user);
        Assert.Equal(await db.RowsAsync($"select {Columns} from get_job_status($1)", job), found);
        Assert.Equal(await db.RowsAsync("select estimated_seconds from get_job_status($1)", job), estimate);
    }

    [Fact]
    public async Task In_a_queue_that_the_node_knows_it_says_the_place_and_leaves_the_position_to_the_node()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(100);
        var (session, first, second) = (await SignInAsync(db, user), await db.PressAsync(user), await db.PressAsync(user));
        const string place = "queue_position, estimated_seconds, provider, queue_lane, queue_key > 0";
        Assert.Equal(["||fal|guest|True"], await FindAsync(db, user, session, second, place, "{other,fal}"));
        Assert.Equal(["1|fal"], await FindAsync(db, user, session, second, "queue_position, provider", "{other}"));
        // One that came back is PostgreSQL's to find.
        await db.RunAsync("update video_jobs set served_turn = 1, run_after = clock_timestamp() - interval '1 second' where job_id = $1", first);
        Assert.Equal(["guest_retry|True"], await FindAsync(db, user, session, first, "queue_lane, queue_position is not null", "{fal}"));
    }

    [Theory]
    [InlineData("update users set banned_at = clock_timestamp() where id = $1")]
    [InlineData("update users set deleted_at = clock_timestamp() where id = $1")]
    [InlineData("update sessions set revoked_at = clock_timestamp() where user_id = $1")]
    [InlineData("delete from sessions where user_id = $1")]
    [InlineData("update video_jobs set deleted_at = clock_timestamp() where user_id = $1")]
    public async Task Whom_the_status_refuses_it_says_nothing(string fault)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(100);
        var (session, job) = (await SignInAsync(db, user), await db.PressAsync(user));
        Assert.Single(await FindAsync(db, user, session, job));
        await db.RunAsync(fault, user);
        Assert.Empty(await FindAsync(db, user, session, job));
    }

    [Fact]
    public async Task Nobody_is_answered_with_the_session_or_the_job_of_another()
    {
        await using var db = await database.BeginAsync();
        var (ada, ben) = (await db.NewUserAsync(100), await db.NewUserAsync(100));
        var (adas, bens) = (await SignInAsync(db, ada), await SignInAsync(db, ben));
        var job = await db.PressAsync(ada);
        Assert.Single(await FindAsync(db, ada, adas, job));
        Assert.Empty(await FindAsync(db, ada, bens, job));
        Assert.Empty(await FindAsync(db, ben, bens, job));
        Assert.Empty(await FindAsync(db, ben, adas, job));
        Assert.Empty(await FindAsync(db, ada, Guid.NewGuid(), job));
    }

    [Fact]
    public async Task Of_many_who_ask_together_each_is_answered_with_their_own_job_in_its_place()
    {
        await using var db = await database.BeginAsync();
        var (users, sessions, jobs) = (new List<Guid>(), new List<Guid>(), new List<Guid>());
        for (var number = 0; number < 5; number++)
        {
            var user = await db.NewUserAsync(100);
            users.Add(user);
            sessions.Add(await SignInAsync(db, user));
            jobs.Add(await db.PressAsync(user));
        }
        await db.RunAsync(
            "update video_jobs set stage = 'finished', status = 'completed', completed_at = clock_timestamp(), video_url = 'a/b.mp4' where job_id = $1",
            jobs[1]
        );
        await db.RunAsync("update users set banned_at = clock_timestamp() where id = $1", users[2]);
        // The fourth asks for the first one's job.
        jobs[3] = jobs[0];
        await db.BecomeAsync("reelbase_api");
        Assert.Equal(
            [$"1|{jobs[0]}|pending", $"2|{jobs[1]}|completed", $"5|{jobs[4]}|pending"],
            await db.RowsAsync($"select asked, job_id, status from find_job_status({Array(users)}, {Array(sessions)}, {Array(jobs)}, '{{}}') order by asked")
        );
        Assert.Empty(await db.RowsAsync("select * from find_job_status('{}', '{}', '{}', '{}')"));

        static string Array(List<Guid> ids) => $"'{{{string.Join(',', ids)}}}'::uuid[]";
    }
}
