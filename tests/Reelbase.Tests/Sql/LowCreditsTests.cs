using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>Which pushes about few credits are written, who claims them, and when they are dropped.</summary>
[Quick]
public sealed class LowCreditsTests(SqlDatabase database)
{
    private const string Count = "select count(*) from push_notifications where user_id = $1";

    private static async Task<Guid> NewUserAsync(SqlCase db, int credits)
    {
        var user = await db.NewUserAsync(credits);
        await db.RunAsync("insert into push_tokens (token, user_id, environment, kind) values (md5($1::text), $1, 'sandbox', 'alert')", user);
        return user;
    }

    [Theory]
    [InlineData(10, 8, 5, 1)] // below
    [InlineData(10, 5, 5, 0)] // at the threshold is not below
    [InlineData(5, 1, 5, 1)] // from the threshold itself
    [InlineData(4, 1, 5, 0)] // below already
    [InlineData(10, 8, 0, 0)] // off
    public async Task Only_a_fall_from_the_threshold_or_above_is_notified(int before, int charged, int threshold, long pushes)
    {
        await using var db = await database.BeginAsync();
        var user = await NewUserAsync(db, before);
        await db.RunAsync("select internal.enqueue_low_credits($1, $2, $3, $4)", user, before, charged, threshold);
        Assert.Equal(pushes, await db.ValueAsync<long>(Count, user));
        // What waits is not written twice.
        await db.RunAsync("select internal.enqueue_low_credits($1, $2, $3, $4)", user, before, charged, threshold);
        Assert.Equal(pushes, await db.ValueAsync<long>(Count, user));
    }

    [Fact]
    public async Task A_node_of_the_previous_release_is_handed_none_and_this_one_gets_language_and_balance()
    {
        await using var db = await database.BeginAsync();
        var user = await NewUserAsync(db, 2);
        await db.RunAsync("update users set language = 'es' where id = $1", user);
        await db.RunAsync("select internal.enqueue_low_credits($1, 10, 8, 5)", user);
        Assert.Equal(
            0L,
            await db.ValueAsync<long>("select count(*) from claim_push_notifications('old', 60, 100) c where c.event = 'low_credits' or c.job_id is null")
        );
        Assert.Equal(
            "low_credits es 2",
            await db.ValueAsync<string>(
                "select concat_ws(' ', event, job_id, language, credits) from claim_push_notifications('new', 60, 100, 30) where token = md5($1::text)",
                user
            )
        );
    }

    [Fact]
    public async Task What_waits_is_dropped_when_there_are_enough_credits_again()
    {
        await using var db = await database.BeginAsync();
        var user = await NewUserAsync(db, 2);
        await db.RunAsync("select internal.enqueue_low_credits($1, 10, 8, 5)", user);
        await db.RunAsync("select add_credits($1, 3, 'admin_adjustment')", user);
        Assert.Equal(0L, await db.ValueAsync<long>("select count(*) from claim_push_notifications('new', 60, 100, 30) where token = md5($1::text)", user));
        Assert.Equal(0L, await db.ValueAsync<long>(Count, user));
    }

    [Fact]
    public async Task After_a_merge_one_phone_is_rung_once_at_most()
    {
        await using var db = await database.BeginAsync();
        var (guest, member) = (await NewUserAsync(db, 1), await NewUserAsync(db, 1));
        await db.RunAsync("select internal.enqueue_low_credits($1, 10, 9, 5)", guest);
        await db.RunAsync("select internal.enqueue_low_credits($1, 10, 9, 5)", member);
        // The guest's phone belonged to the member before: its push waits there too.
        await db.RunAsync("update push_notifications set token = md5($1::text) where user_id = $2", guest, member);
        await db.RunAsync("update users set apple_sub = $1::text where id = $1", member);
        await db.RunAsync("select internal.merge_accounts($1, $2)", guest, member);
        Assert.Equal(1L, await db.ValueAsync<long>(Count, member));
        Assert.Equal(2, await db.ValueAsync<int>("select credits from claim_push_notifications('new', 60, 100, 30) where token = md5($1::text)", guest));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_merge_the_push_that_a_worker_is_sending_is_the_one_that_stays(bool isGuests)
    {
        await using var db = await database.BeginAsync();
        var (guest, member) = (await NewUserAsync(db, 1), await NewUserAsync(db, 1));
        await db.RunAsync("select internal.enqueue_low_credits($1, 10, 9, 5)", guest);
        await db.RunAsync("select internal.enqueue_low_credits($1, 10, 9, 5)", member);
        await db.RunAsync("update push_notifications set token = md5($1::text) where user_id = $2", guest, member);
        var sending = await db.ValueAsync<Guid>(
            "update push_notifications set leased_by = 'one', lease_until = clock_timestamp() + interval '1 hour', attempt = 1 where user_id = $1 returning id",
            isGuests ? guest : member
        );
        await db.RunAsync("update users set apple_sub = $1::text where id = $1", member);
        await db.RunAsync("select internal.merge_accounts($1, $2)", guest, member);
        Assert.Equal(sending, await db.ValueAsync<Guid>("select id from push_notifications where user_id = $1", member));
        Assert.Equal(1L, await db.ValueAsync<long>(Count, member));
        await db.RunAsync("select finish_push_notification($1, 'one', 'sent', null, null, null, null)", sending);
        Assert.Equal(0L, await db.ValueAsync<long>("select count(*) from claim_push_notifications('new', 60, 100, 30) where token = md5($1::text)", guest));
    }

    [Fact]
    public async Task A_guests_waiting_push_is_dropped_when_the_merged_account_has_enough()
    {
        await using var db = await database.BeginAsync();
        var (guest, member) = (await NewUserAsync(db, 1), await NewUserAsync(db, 20));
        await db.RunAsync("select internal.enqueue_low_credits($1, 10, 9, 5)", guest);
        await db.RunAsync("update users set apple_sub = $1::text where id = $1", member);
        await db.RunAsync("select internal.merge_accounts($1, $2)", guest, member);
        Assert.Equal(0L, await db.ValueAsync<long>("select count(*) from claim_push_notifications('new', 60, 100, 30) where token = md5($1::text)", guest));
        Assert.Equal(0L, await db.ValueAsync<long>(Count, member));
    }

    [Fact]
    public async Task A_push_is_about_a_job_or_about_credits_and_never_about_nothing()
    {
        await using var db = await database.BeginAsync();
        var user = await NewUserAsync(db, 2);
        const string insert =
            "insert into push_notifications (user_id, token, environment, kind, event, model_name, threshold) values ($1, 't', 'sandbox', 'alert', ";
        Assert.Equal("23514", await db.RefusalAsync(insert + "'completed', 'M', null)", user));
        Assert.Equal("23514", await db.RefusalAsync(insert + "'low_credits', '', null)", user));
        Assert.Equal("23514", await db.RefusalAsync(insert + "'low_prices', '', 5)", user));
    }
}
