using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>Sums of the whole installation are kept: they are what a scan would say, and whoever reads them scans nothing.</summary>
[Quick]
public sealed class StatisticsSqlTests(SqlDatabase database)
{
    private const string Model = "Counted for the sums";

    [Fact]
    public async Task Totals_are_what_the_jobs_add_up_to_however_often_they_were_counted()
    {
        await using var db = await database.BeginAsync();
        await PastAsync(db);
        for (var count = 0; count < 12; count++)
        {
            await db.RunAsync("select count_hours(2)");
        }
        Assert.Equal(["accepted|6", "completed|4", "failed|2"], await TotalsAsync(db));
        // All but the newest hours are in the sums and are read from there.
        Assert.NotEqual("0", Assert.Single(await db.RowsAsync("select coalesce(sum(jobs), 0)::text from job_totals where model_name = $1", Model)));
        Assert.NotEqual("-infinity", Assert.Single(await db.RowsAsync("select folded_until::text from statistics_progress")));

        // Counted from the beginning once more, as a migration may ask for.
        await db.RunAsync("delete from statistics_progress");
        for (var count = 0; count < 12; count++)
        {
            Assert.Equal(["accepted|6", "completed|4", "failed|2"], await TotalsAsync(db));
            await db.RunAsync("select count_hours(2)");
        }
        Assert.Equal(["accepted|6", "completed|4", "failed|2"], await TotalsAsync(db));
    }

    [Fact]
    public async Task What_was_measured_a_moment_ago_is_measured_no_more_and_read_without_a_look_at_any_job()
    {
        await using var db = await database.BeginAsync();
        await PastAsync(db);
        Assert.True(await db.ValueAsync<bool>("select keep_statistics(1000, 3600)"));
        var before = await ReadAsync(db);
        // Every node asks every ten seconds.
        Assert.False(await db.ValueAsync<bool>("select keep_statistics(1000, 3600)"));
        Assert.NotEmpty(await db.RowsAsync("select name from read_statistics() where name = 'jobs_total' and labels ->> 'model' = $1", Model));
        Assert.Equal(before, await ReadAsync(db));
        // What took ten seconds to measure is left alone for two hundred.
        await db.RunAsync("update statistics_progress set kept_at = clock_timestamp() - interval '100 seconds', kept_seconds = 10");
        Assert.False(await db.ValueAsync<bool>("select keep_statistics(1000, 10)"));
        await db.RunAsync("update statistics_progress set kept_at = clock_timestamp() - interval '300 seconds'");
        Assert.True(await db.ValueAsync<bool>("select keep_statistics(1000, 10)"));
    }

    [Fact]
    public async Task Nothing_that_a_charge_changes_stands_in_an_index_of_users()
    {
        await using var db = await database.BeginAsync();
        // One of them in a column or a condition, and PostgreSQL writes a new entry into every index of users with each charge.
        Assert.Empty(
            await db.RowsAsync(
                """
                select distinct c.relname || ' ' || a.attname from pg_depend d join pg_class c on c.oid = d.objid and d.classid = 'pg_class'::regclass and c.relkind = 'i'
                join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
                where d.refclassid = 'pg_class'::regclass and d.refobjid = 'public.users'::regclass and a.attname in ('credits_remaining', 'credits_total', 'updated_at')
                """
            )
        );
    }

    [Fact]
    public async Task A_balance_below_zero_is_listed_until_it_is_paid_back()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(3);
        Assert.Equal(["0"], await ListedAsync());
        await db.RunAsync("select write_ledger($1::uuid, -5, 'apple_refund')", user);
        Assert.Equal(["1"], await ListedAsync());
        Assert.Equal(["-2"], await AttentionAsync());
        await db.RunAsync("select write_ledger($1::uuid, -1, 'apple_refund')", user);
        Assert.Equal(["-3"], await AttentionAsync());
        await db.RunAsync("select write_ledger($1::uuid, 3, 'admin_adjustment')", user);
        Assert.Equal(["0"], await ListedAsync());
        Assert.Empty(await AttentionAsync());
        await db.AssertSoundAsync();

        Task<List<string>> ListedAsync() => db.RowsAsync("select count(*)::text from balances_below_zero where user_id = $1::uuid", user);

        Task<List<string>> AttentionAsync() =>
            db.RowsAsync(
                "select a ->> 'count' from jsonb_array_elements(internal.list_attention()) a where a ->> 'kind' = 'balance_below_zero' and a ->> 'target' = $1",
                user.ToString()
            );
    }

    /// <summary>Jobs of the last hours, one after the other.</summary>
    private static async Task PastAsync(SqlCase db)
    {
        await db.RunAsync("delete from statistics_progress");
        var user = await db.NewUserAsync();
        await db.RunAsync(
            """
            insert into video_jobs (job_id, user_id, model_name, prompt, status, stage, error_code, created_at, completed_at)
            select gen_random_uuid(), $1::uuid, $2, 'A thing', case when n % 3 = 0 then 'failed' else 'completed' end, 'finished', case when n % 3 = 0 then 'ERR_5001' end,
              now() - n * interval '1 hour', now() - n * interval '1 hour' + interval '1 minute'
            from generate_series(1, 6) n
            """,
            user,
            Model
        );
    }

    private static Task<List<string>> TotalsAsync(SqlCase db) =>
        db.RowsAsync(
            "select labels ->> 'result', sum(value)::bigint::text from internal.measure_statistics() where name = 'jobs_total' and labels ->> 'model' = $1 group by 1 order by 1",
            Model
        );

    private static async Task<string> ReadAsync(SqlCase db) =>
        Assert.Single(
            await db.RowsAsync(
                "select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::text from pg_stat_xact_user_tables where relname = 'video_jobs'"
            )
        );
}
