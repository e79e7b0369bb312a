using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>What the live hub reads of many in one statement is what it would read as each of them, and nothing of whom it would have to ask more.</summary>
[Quick]
[Collection(JobClaimTests.Queue)]
public sealed class LiveStatusSqlTests(SqlDatabase database)
{
    private const string Read = "asked, version, user_version, record::jsonb - 'created_at' - 'completed_at'";

    private static async Task<Guid> SignInAsync(SqlCase db, Guid user)
    {
        var session = Guid.NewGuid();
        await db.RunAsync("insert into sessions (id, user_id) values ($1, $2)", session, user);
        return session;
    }

    private static async Task<List<string>> ReadAsync(SqlCase db, Guid user, Guid session, Guid job, string columns = Read)
    {
        await db.BecomeAsync("reelbase_api");
        var rows = await db.RowsAsync($"select {columns} from read_live_statuses(array[$1::uuid], array[$2::uuid], array[$3::uuid])", user, session, job);
        await db.BecomeOwnerAsync();
        return rows;
    }

    /// <summary>What <c>read_live</c> says of the same, as the user.</summary>
    private static async Task<List<string>> ReadAsUserAsync(SqlCase db, Guid user, Guid session, Guid job, string record)
    {
        var asks =
            $$"""[{"number":1,"user":"{{user}}","claims":"{\"sub\":\"{{user}}\",\"role\":\"authenticated\",\"session_id\":\"{{session}}\"}","sessions":["{{session}}"],"jobs":["{{job}}"],"statuses":["{{job}}"],"newest":0,"profile":false}]""";
        await db.BecomeAsync("reelbase_api");
        var rows = await db.RowsAsync(
            $"""
            with r as materialized (select * from read_live($1::text::jsonb))
            select s.ask, j.version, u.version, {record} from r s, r j, r u where s.kind = 'status' and j.kind = 'job_version' and u.kind = 'user_version'
            """,
            asks
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
    [InlineData("leased_by = 'token', lease_until = clock_timestamp() + interval '1 hour'")]
    public async Task It_reads_what_is_read_as_the_user(string state)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(100);
        await db.PressAsync(user);
        var job = await db.PressAsync(user);
        if (state != "")
        {
            await db.RunAsync($"update video_jobs set {state} where job_id = $1", job);
        }
        var session = await SignInAsync(db, user);
        Assert.Equal(await ReadAsUserAsync(db, user, session, job, "s.record - 'created_at' - 'completed_at'"), await ReadAsync(db, user, session, job));
        const string times =
            "date_trunc('milliseconds', (record ->> 'created_at')::timestamptz), date_trunc('milliseconds', (record ->> 'completed_at')::timestamptz)";
        Assert.Equal(
            await ReadAsUserAsync(db, user, session, job, times.Replace("record", "s.record", StringComparison.Ordinal)),
            await ReadAsync(db, user, session, job, $"asked, version, user_version, {times}")
        );
    }

    [Fact]
    public async Task Only_who_waits_for_the_first_time_has_a_place_that_is_found_in_memory()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(100);
        var (session, job) = (await SignInAsync(db, user), await db.PressAsync(user));
        Assert.Equal(["fal|guest|True"], await ReadAsync(db, user, session, job, "provider, queue_lane, queue_key > 0"));
        await db.RunAsync("update video_jobs set leased_by = 'token', lease_until = clock_timestamp() + interval '1 hour' where job_id = $1", job);
        Assert.Equal([""], await ReadAsync(db, user, session, job, "queue_key"));
    }

    [Theory]
    [InlineData("update users set banned_at = clock_timestamp() where id = $1")]
    [InlineData("update users set deleted_at = clock_timestamp() where id = $1")]
    [InlineData("with m as (insert into users (is_guest) values (true) returning id) update users set merged_into = m.id from m where users.id = $1")]
    [InlineData("update sessions set revoked_at = clock_timestamp() where user_id = $1")]
    [InlineData("update video_jobs set deleted_at = clock_timestamp() where user_id = $1")]
    public async Task Of_whom_more_has_to_be_asked_it_reads_nothing(string state)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(100);
        var (session, job) = (await SignInAsync(db, user), await db.PressAsync(user));
        Assert.Single(await ReadAsync(db, user, session, job));
        await db.RunAsync(state, user);
        Assert.Empty(await ReadAsync(db, user, session, job));
    }

    [Fact]
    public async Task Nobody_reads_the_job_of_another()
    {
        await using var db = await database.BeginAsync();
        var (ada, ben) = (await db.NewUserAsync(100), await db.NewUserAsync(100));
        var (adas, bens) = (await SignInAsync(db, ada), await SignInAsync(db, ben));
        var job = await db.PressAsync(ada);
        Assert.Empty(await ReadAsync(db, ben, bens, job));
        Assert.Empty(await ReadAsync(db, ben, adas, job));
        Assert.Empty(await ReadAsync(db, ada, bens, job));
    }
}
