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
        await db.RunAsync("select note_device_opening(sha256('b'), sha256('b'), $1::uuid)", user);
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
        await db.RunAsync("select note_device_opening(sha256('b'), sha256('b'), $1::uuid)", user);
        Assert.Equal(["16"], await db.RowsAsync("select count(*)::text from device_openings where user_id = $1::uuid", user));
    }

    [Theory]
    [InlineData("generate_video")]
    [InlineData("get_video_status")]
    public async Task What_a_press_or_a_status_calls_is_planned_once_for_a_connection(string function)
    {
        await using var db = await database.BeginAsync();
        // A function of SQL with rights or a search path of its own cannot become part of its caller's plan: PostgreSQL plans it at every call.
        Assert.Empty(
            await db.RowsAsync(
                """
                with recursive f as (
                  select p.oid, p.proname::text as name, p.prosrc, l.lanname = 'sql' and (p.prosecdef or p.proconfig is not null) as is_planned_anew
                  from pg_proc p join pg_language l on l.oid = p.prolang where p.pronamespace = 'public'::regnamespace),
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
