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
