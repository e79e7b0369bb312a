using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>The ledger's own functions, as a table: what is asked, what is answered, and what the balance is then.</summary>
[Quick]
public sealed class CreditTests(SqlDatabase database)
{
    [Theory]
    [InlineData("deduct_credits($1, 4)", """{"success": true, "credits_remaining": 6}""", 6, 10)]
    [InlineData("deduct_credits($1, 10)", """{"success": true, "credits_remaining": 0}""", 0, 10)]
    [InlineData("deduct_credits($1, 11)", """{"error": "Insufficient credits", "success": false, "current_credits": 10, "required_credits": 11}""", 10, 10)]
    [InlineData("deduct_credits($1, 0)", """{"error": "Amount must be positive", "success": false}""", 10, 10)]
    [InlineData("deduct_credits($1, -1)", """{"error": "Amount must be positive", "success": false}""", 10, 10)]
    [InlineData("deduct_credits($1, null)", """{"error": "Amount must be positive", "success": false}""", 10, 10)]
    [InlineData("deduct_credits(gen_random_uuid(), 1)", """{"error": "User not found", "success": false}""", 10, 10)]
    // What is earned or bought raises the lifetime total; what comes back does not.
    [InlineData("add_credits($1, 5, 'admin_adjustment')", """{"success": true, "credits_added": 5, "credits_remaining": 15}""", 15, 15)]
    [InlineData("add_credits($1, 5, 'iap_purchase', 'T')", """{"success": true, "credits_added": 5, "credits_remaining": 15}""", 15, 15)]
    [InlineData("add_credits($1, 5, 'generation_failed_refund')", """{"success": true, "credits_added": 5, "credits_remaining": 15}""", 15, 10)]
    [InlineData("add_credits($1, 0, 'iap_purchase')", """{"error": "Amount must be positive", "success": false}""", 10, 10)]
    [InlineData("add_credits($1, -5, 'iap_purchase')", """{"error": "Amount must be positive", "success": false}""", 10, 10)]
    [InlineData("add_credits($1, null, 'iap_purchase')", """{"error": "Amount must be positive", "success": false}""", 10, 10)]
    [InlineData("add_credits($1, 2147483647, 'iap_purchase')", """{"error": "Balance out of range", "success": false}""", 10, 10)]
    [InlineData("add_credits(gen_random_uuid(), 5, 'iap_purchase')", """{"error": "User not found", "success": false}""", 10, 10)]
    public async Task Credits_are_added_and_taken_as_the_contract_says(string call, string answer, int balance, int total)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(10);
        Assert.Equal(
            answer,
            call.Contains("$1", StringComparison.Ordinal)
                ? await db.ValueAsync<string>($"select ({call})::text", user)
                : await db.ValueAsync<string>($"select ({call})::text")
        );
        Assert.Equal([$"{balance}|{total}"], await db.RowsAsync("select credits_remaining, credits_total from users where id = $1", user));
        await db.AssertSoundAsync();
    }

    [Theory]
    [InlineData("0", "23514")]
    [InlineData("5, 'no_such_reason'", "23514")]
    [InlineData("2147483647", "ERR_4012")]
    public async Task What_the_ledger_does_not_take(string change, string state)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(10);
        var call = change.Contains(',', StringComparison.Ordinal) ? change : change + ", 'admin_adjustment'";
        Assert.Equal(state, await db.RefusalAsync($"select write_ledger($1, {call})", user));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task The_lifetime_total_stops_at_the_end_of_its_range_and_a_merge_beyond_it_is_refused_whole()
    {
        await using var db = await database.BeginAsync();
        var (guest, member) = (await db.NewUserAsync(2_000_000_000), await db.NewUserAsync(2_000_000_000, isGuest: false));
        Assert.Equal("ERR_4012", await db.RefusalAsync("select internal.merge_accounts($1, $2)", guest, member));
        await db.RunAsync("select write_ledger($1, -1999999999, 'video_generation')", guest);
        await db.RunAsync("select internal.merge_accounts($1, $2)", guest, member);
        Assert.Equal(["2000000001|2147483647"], await db.RowsAsync("select credits_remaining, credits_total from users where id = $1", member));
        await db.RunAsync("select write_ledger($1, -1999999999, 'video_generation')", member);
        await db.RunAsync("select write_ledger($1, 1999999999, 'admin_adjustment')", member);
        Assert.Equal(["2000000001|2147483647"], await db.RowsAsync("select credits_remaining, credits_total from users where id = $1", member));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task A_transaction_id_counts_once_whoever_brings_it()
    {
        await using var db = await database.BeginAsync();
        var (one, other) = (await db.NewUserAsync(), await db.NewUserAsync());
        Assert.True(await db.ValueAsync<bool>("select (add_credits($1, 25, 'iap_purchase', 'once') ->> 'success')::boolean", one));
        foreach (var user in new[] { one, other })
        {
            Assert.Equal("Transaction already processed", await db.ValueAsync<string>("select add_credits($1, 25, 'iap_purchase', 'once') ->> 'error'", user));
        }
        Assert.Equal("25|0", string.Join('|', await db.RowsAsync("select credits_remaining from users where id in ($1, $2) order by 1 desc", one, other)));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task The_same_transaction_many_times_at_once_counts_once()
    {
        var transaction = $"race-{Guid.NewGuid():N}";
        Guid user;
        await using (var db = await database.BeginAsync())
        {
            user = await db.NewUserAsync();
            await db.CommitAsync();
        }
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(async _ =>
                {
                    await using var db = await database.BeginAsync();
                    var answer = await db.ValueAsync<string>(
                        "select coalesce(add_credits($1, 25, 'iap_purchase', $2) ->> 'error', 'added')",
                        user,
                        transaction
                    );
                    await db.CommitAsync();
                    return answer;
                })
        );
        Assert.Equal(1, answers.Count(answer => answer == "added"));
        await using var after = await database.BeginAsync();
        Assert.Equal(25, await after.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        await after.AssertSoundAsync();
    }

    [Fact]
    public async Task Many_at_once_never_spend_more_than_there_is()
    {
        Guid user;
        await using (var db = await database.BeginAsync())
        {
            user = await db.NewUserAsync(50);
            await db.CommitAsync();
        }
        var spent = await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(async _ =>
                {
                    await using var db = await database.BeginAsync();
                    var isSpent = await db.ValueAsync<bool>("select (deduct_credits($1, 8, 'admin_adjustment') ->> 'success')::boolean", user);
                    await db.CommitAsync();
                    return isSpent;
                })
        );
        Assert.Equal(6, spent.Count(isSpent => isSpent));
        await using var after = await database.BeginAsync();
        Assert.Equal(2, await after.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        await after.AssertSoundAsync();
    }

    [Fact]
    public async Task A_job_fails_once_by_whoever_holds_it_and_is_refunded_once()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(10);
        var job = await db.PressAsync(user);
        Assert.Equal(2, await db.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        await db.BecomeAsync("reelbase_worker");
        Assert.Equal(
            [job.ToString()],
            await db.RowsAsync("""select job_id from claim_video_jobs('mine', 60, 10, '{"fal": {"concurrency": 100}}') where job_id = $1""", job)
        );
        var said = new List<bool>();
        foreach (var token in new[] { "another's", "mine", "mine", "another's" })
        {
            said.Add(
                await db.ValueAsync<bool>(
                    "select fail_video_job(p_job_id => $1, p_leased_by => $2, p_error_code => 'ERR_5002', p_error_message => null)",
                    job,
                    token
                )
            );
        }
        Assert.Equal([false, true, false, false], said);
        await db.BecomeOwnerAsync();
        Assert.Equal(
            ["initial_grant|10|10", "video_generation|-8|2", "generation_failed_refund|8|10"],
            await db.RowsAsync("select reason, change, balance_after from quota_log where user_id = $1 order by seq", user)
        );
        // Whoever goes past the function meets the unique index.
        foreach (var row in new[] { "-8, 'video_generation'", "8, 'generation_failed_refund'" })
        {
            Assert.Equal("23505", await db.RefusalAsync($"select write_ledger($1, {row}, $2)", user, job));
        }
        await db.AssertSoundAsync();
    }
}
