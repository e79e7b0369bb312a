using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>What happens at every request of a crowd reads no more rows the more there are; rows are counted, not time.</summary>
[Quick]
public sealed class CostTests(SqlDatabase database)
{
    private const int Many = 2000;
    private const int Few = 50;

    [Fact]
    public async Task An_opening_reads_none_of_the_fresh_openings_of_others()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        await db.RunAsync(
            $"insert into device_openings (token_hash, device_hash, user_id, opened_at) select sha256(n::text::bytea), sha256('a'), $1::uuid, clock_timestamp() from generate_series(1, {Many}) n",
            user
        );
        var before = await ReadAsync(db, "device_openings");
        await db.RunAsync("select internal.note_device_opening(sha256('b'), sha256('b'), $1::uuid)", user);
        Assert.InRange(await ReadAsync(db, "device_openings") - before, 0, Few);
    }

    [Fact]
    public async Task An_opening_removes_what_is_old_a_few_at_a_time()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        await db.RunAsync(
            "insert into device_openings (token_hash, device_hash, user_id, opened_at) select sha256(n::text::bytea), sha256('a'), $1::uuid, clock_timestamp() - interval '11 minutes' from generate_series(1, 25) n",
            user
        );
        await db.RunAsync("select internal.note_device_opening(sha256('b'), sha256('b'), $1::uuid)", user);
        Assert.Equal(["16"], await db.RowsAsync("select count(*)::text from device_openings where user_id = $1::uuid", user));
    }

    [Theory]
    [InlineData("generate_video")]
    [InlineData("get_video_status")]
    [InlineData("get_job_status")]
    [InlineData("find_job_status")]
    [InlineData("read_live")]
    [InlineData("read_live_statuses")]
    [InlineData("sweep_live")]
    public async Task What_a_press_a_status_or_a_change_calls_is_planned_once_for_a_connection(string function)
    {
        await using var db = await database.BeginAsync();
        // A function of SQL with rights or a search path of its own cannot become part of its caller's plan: PostgreSQL plans it at every call.
        Assert.Empty(
            await db.RowsAsync(
                """
                with recursive f as (
                  select p.oid, p.proname::text as name, p.prosrc, l.lanname = 'sql' and (p.prosecdef or p.proconfig is not null) as is_planned_anew
                  from pg_proc p join pg_language l on l.oid = p.prolang where p.pronamespace in ('public'::regnamespace, 'internal'::regnamespace)),
                called (oid, name, prosrc) as (
                  select oid, name, prosrc from f where name = $1
                  union
                  select f.oid, f.name, f.prosrc from called c join f on c.prosrc ~ ('\m' || f.name || '\M *\('))
                select distinct name from f join called c using (oid, name) where f.is_planned_anew order by 1
                """,
                function
            )
        );
    }

    [Fact]
    public async Task A_plan_that_is_kept_for_good_was_not_made_for_the_few_rows_that_there_were()
    {
        await using var db = await database.BeginAsync();
        // Without these two the first press of a connection could read a table of one page whole, and every later one too, whatever had become of it.
        Assert.Empty(
            await db.RowsAsync(
                "select proname::text from pg_proc where 'plan_cache_mode=force_generic_plan' = any (proconfig) and not proconfig @> '{enable_seqscan=off,jit=off}' order by 1"
            )
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    public async Task A_new_device_reads_none_of_the_devices_of_others_also_when_the_connection_planned_while_there_were_few(int few)
    {
        await using var db = await database.BeginAsync();
        string[] tables = ["users", "device_checks", "device_grants", "device_openings", "rate_limit_log"];
        await DevicesAsync(few);
        await db.RunAsync($"analyze {string.Join(", ", tables)}");
        for (var number = 0; number < 8; number++)
        {
            await TryAsync(db, $"192.0.2.{number + 1}");
        }
        await DevicesAsync(Many);
        var before = await ReadAsync(db, tables);
        Assert.Equal("none|t", await TryAsync(db, "192.0.2.100"));
        var after = await ReadAsync(db, tables);
        Assert.All(tables, table => Assert.True(after[table] - before[table] <= Few, $"{table}: {after[table] - before[table]} rows"));

        Task DevicesAsync(int count) =>
            db.RunAsync(
                $"""
                with u as (insert into users (id, is_guest, device_id) select gen_random_uuid(), true, internal.device_id_hash(gen_random_uuid()::text) from generate_series(1, {count}) returning id, device_id),
                  c as (insert into device_checks (device_id, user_id) select device_id, id from u),
                  g as (insert into device_grants (user_id, device_id, device_token, token_hash, made_guest, origin) select id, device_id, 'AAAA', sha256('a'), true, sha256('b') from u),
                  o as (insert into device_openings (token_hash, device_hash, user_id) select sha256(id::text::bytea), sha256('c'), id from u)
                insert into rate_limit_log (ip_address, action) select '198.18.0.0'::inet + n, 'device_check_new' from generate_series(1, {count}) n
                """
            );
    }

    [Fact]
    public async Task The_turn_for_one_grant_reads_none_of_those_that_wait_while_Apple_is_away()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        await db.RunAsync(
            $"insert into device_grants (user_id, device_id, device_token) select $1::uuid, internal.device_id_hash(n::text), 'AAAA' from generate_series(1, {Many}) n",
            user
        );
        await db.RunAsync("analyze device_grants");
        var grant = await db.ValueAsync<Guid>("select id from device_grants where user_id = $1::uuid limit 1", user);
        var before = await ReadAsync(db, "device_grants");
        Assert.Equal(grant, await db.ValueAsync<Guid>("select id from claim_device_grant('a claim', 60, $1::uuid)", grant));
        Assert.InRange(await ReadAsync(db, "device_grants") - before, 0, Few);
    }

    /// <summary>A function in SQL that is not part of a larger query is parsed and planned anew at each call.</summary>
    [Theory]
    [InlineData("confirm_generation_limit")]
    [InlineData("confirm_device_limit")]
    [InlineData("device_id_hash")]
    [InlineData("stored_device_id")]
    [InlineData("opens_known_guest")]
    [InlineData("end_device_grant_turn")]
    [InlineData("get_user_metadata")]
    public async Task What_happens_at_each_request_of_a_crowd_keeps_its_plan(string function)
    {
        await using var db = await database.BeginAsync();
        Assert.Equal(["plpgsql"], await db.RowsAsync("select l.lanname from pg_proc p join pg_language l on l.oid = p.prolang where p.proname = $1", function));
    }

    private static async Task<string> TryAsync(SqlCase db, string address) =>
        Assert.Single(
            await db.RowsAsync(
                """
                select outcome, case when user_id is not null then 't' end from try_open_device(gen_random_uuid()::text, encode(gen_random_uuid()::text::bytea, 'base64'), $1::text::inet,
                  10, 3600, 600, 'a claim', 60, 60, 3600, '{"throttle_score":40,"block_score":80,"throttle_seconds":60}', null)
                """,
                address
            )
        );

    private static async Task<Dictionary<string, long>> ReadAsync(SqlCase db, string[] tables)
    {
        var read = new Dictionary<string, long>();
        foreach (var table in tables)
        {
            read[table] = await ReadAsync(db, table);
        }
        return read;
    }

    private static async Task<long> ReadAsync(SqlCase db, string table) =>
        long.Parse(
            Assert.Single(
                await db.RowsAsync(
                    "select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::text from pg_stat_xact_user_tables where relname = $1",
                    table
                )
            ),
            System.Globalization.CultureInfo.InvariantCulture
        );
}
