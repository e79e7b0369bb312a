using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>
/// Apple's words on one purchase of 25 credits in the order in which they arrive, each as the time it was signed and the thousandths of a percent that are
/// refunded by then; and the outcome of each.
/// </summary>
[Quick]
public sealed class PurchaseTests(SqlDatabase database)
{
    [Theory]
    [InlineData(1, "1:0", "credited 25", 25, "25")]
    [InlineData(1, "1:0 1:0 1:0", "credited 25, known 0, known 0", 25, "25")]
    [InlineData(3, "1:0", "credited 75", 75, "75")]
    [InlineData(1, "1:0 2:100000", "credited 25, known 0", 0, "25 -25")]
    [InlineData(1, "1:0 2:100000 2:100000 1:0", "credited 25, known 0, known 0, known 0", 0, "25 -25")]
    [InlineData(1, "1:0 2:100000 3:0", "credited 25, known 0, known 0", 25, "25 -25 25")]
    [InlineData(1, "1:0 2:100000 3:0 4:100000", "credited 25, known 0, known 0, known 0", 0, "25 -25 25 -25")]
    // Partly: rounded down, and only the difference moves.
    [InlineData(1, "1:0 2:50000", "credited 25, known 0", 13, "25 -12")]
    [InlineData(1, "1:0 2:50000 3:80000", "credited 25, known 0, known 0", 5, "25 -12 -8")]
    [InlineData(1, "1:0 2:80000 3:50000", "credited 25, known 0, known 0", 13, "25 -20 8")]
    [InlineData(1, "1:0 2:3999", "credited 25, known 0", 25, "25")]
    [InlineData(1, "1:0 2:4000", "credited 25, known 0", 24, "25 -1")]
    // What was signed earlier changes nothing, whenever it comes.
    [InlineData(1, "1:0 3:0 2:100000", "credited 25, known 0, known 0", 25, "25")]
    [InlineData(1, "1:0 3:100000 2:0", "credited 25, known 0, known 0", 0, "25 -25")]
    // Of two words of one millisecond the one that takes more back counts.
    [InlineData(1, "1:0 2:50000 2:100000", "credited 25, known 0, known 0", 0, "25 -12 -13")]
    [InlineData(1, "1:0 2:100000 2:50000", "credited 25, known 0, known 0", 0, "25 -25")]
    // Refunded before it was ever credited: nothing moves, unless the refund is taken back.
    [InlineData(1, "2:100000 1:0", "refunded 0, refunded 0", 0, "")]
    [InlineData(1, "2:100000 3:0", "refunded 0, credited 25", 25, "25")]
    [InlineData(1, "2:50000", "credited 25", 13, "25 -12")]
    public async Task Credits_are_where_apples_latest_word_says(int quantity, string words, string outcomes, int balance, string ledger)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        await db.BecomeAsync("reelbase_worker");
        var answers = new List<string>();
        foreach (var word in words.Split(' ').Select(word => word.Split(':')))
        {
            answers.Add(await RecordAsync(db, user, "Production", int.Parse(word[0], null), int.Parse(word[1], null), quantity));
        }
        Assert.Equal(outcomes, string.Join(", ", answers));
        await db.BecomeOwnerAsync();
        Assert.Equal(balance, await db.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        Assert.Equal(ledger, string.Join(' ', await db.RowsAsync("select change from quota_log where user_id = $1 order by seq", user)));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task Purchases_that_would_leave_the_range_of_a_balance_wait_with_an_alert_and_so_does_a_refund_that_is_reversed()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        await db.RunAsync("insert into products (product_id, credits) values ('range.million', 1000000)");
        Task<string> BuyAsync(string id, int signedAt = 1, int revoked = 0) =>
            RecordTextAsync(
                db,
                user,
                $$"""{"transaction_id": "{{id}}", "product_id": "range.million", "quantity": 1000, "signed_at": {{1790000000000 + signedAt}}, "purchased_at": 1790000000000, "revoked_percentage": {{revoked}}}"""
            );
        Assert.Equal(["credited 1000000000", "credited 1000000000", "pending 0"], [await BuyAsync("a"), await BuyAsync("b"), await BuyAsync("c")]);
        Assert.Equal(["2000000000|2000000000"], await db.RowsAsync("select credits_remaining, credits_total from users where id = $1", user));
        Assert.Equal(["1"], await db.RowsAsync("select count(*) from alerts where kind = 'purchase_out_of_range' and dedupe_key like '%:c%'"));
        // There is room once one is refunded; and no room for that one's reversal then.
        Assert.Equal(["known 0", "credited 1000000000", "known 0"], [await BuyAsync("a", 2, 100_000), await BuyAsync("c"), await BuyAsync("a", 3)]);
        Assert.Equal(["2000000000"], await db.RowsAsync("select credits_remaining from users where id = $1", user));
        Assert.Equal(["1"], await db.RowsAsync("select count(*) from alerts where kind = 'purchase_out_of_range' and dedupe_key like '%:a%'"));
        await db.AssertSoundAsync();
    }

    [Theory]
    [InlineData("-9223372036854775808", "1970-01-01 00:00:00+00")]
    [InlineData("-1", "1970-01-01 00:00:00+00")]
    [InlineData("1790000000123", "2026-09-21 14:13:20.123+00")]
    [InlineData("9223372036854775807", "9999-12-31 00:00:00+00")]
    [InlineData("99999999999999999999999999", "9999-12-31 00:00:00+00")]
    public async Task A_purchase_with_an_absurd_date_is_recorded_at_the_nearest_moment_there_is(string milliseconds, string moment)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        await db.RunAsync("set local timezone = 'UTC'");
        Assert.Equal(
            "credited 25",
            await RecordTextAsync(
                db,
                user,
                $$"""{"transaction_id": "dated", "product_id": "{{Apple.Pack25}}", "quantity": 1, "signed_at": 1790000000000, "purchased_at": {{milliseconds}}, "revoked_percentage": 0}"""
            )
        );
        Assert.Equal(moment, await db.ValueAsync<string>("select purchased_at::text from purchases where transaction_id = 'dated'"));
        // Nor does the time of signing break anything; a word of the future is one of now, or no later one would ever count.
        Assert.Equal(
            "known 0",
            await RecordTextAsync(
                db,
                user,
                $$"""{"transaction_id": "dated", "product_id": "{{Apple.Pack25}}", "quantity": 1, "signed_at": {{milliseconds}}, "purchased_at": 0, "revoked_percentage": 0}"""
            )
        );
        Assert.True(
            await db.ValueAsync<bool>(
                "select signed_at <= greatest(clock_timestamp() + interval '1 day', to_timestamp(1790000000.2)) from purchases where transaction_id = 'dated'"
            )
        );
        await db.AssertSoundAsync();
    }

    private static Task<string> RecordTextAsync(SqlCase db, Guid user, string transaction) =>
        db.ValueAsync<string>(
            "select a ->> 'outcome' || ' ' || (a ->> 'credits_added') from record_transaction($1, jsonb_build_object('environment', 'Production', 'app_account_token', $1, 'price', 1990, 'currency', 'EUR') || $2::jsonb, 'app', '{}') a",
            user,
            transaction
        );

    [Fact]
    public async Task What_was_spent_meanwhile_is_owed()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        await RecordAsync(db, user, "Production", 1, 0);
        await db.PressAsync(user);
        await RecordAsync(db, user, "Production", 2, 100_000);
        Assert.Equal(-8, await db.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        await db.BecomeAsync(user);
        Assert.Equal(
            "ERR_4001",
            await db.RefusalAsync(
                $$"""select generate_video(gen_random_uuid(), '{"model_id": "{{Catalog.FastModel}}", "prompt": "A boat"}', null, '{}', 1800)"""
            )
        );
        await db.AssertSoundAsync();
    }

    [Theory]
    [InlineData("true", 100, 100, "credited 25")]
    [InlineData("false", 100, 100, "sandbox_refused 0")]
    [InlineData("true", 24, 100, "sandbox_refused 0")]
    [InlineData("true", 100, 24, "sandbox_refused 0")]
    [InlineData("true", 25, 25, "credited 25")]
    public async Task The_sandbox_counts_up_to_its_caps(string accept, int perUser, int perDay, string expected)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        await db.BecomeAsync("reelbase_worker");
        Assert.Equal(
            expected,
            await RecordAsync(
                db,
                user,
                "Sandbox",
                1,
                0,
                policy: $$"""{"accept_sandbox": {{accept}}, "sandbox_credits_per_user": {{perUser}}, "sandbox_credits_per_day": {{perDay}}}"""
            )
        );
        await db.AssertSoundAsync();
    }

    private static async Task<string> RecordAsync(
        SqlCase db,
        Guid user,
        string environment,
        int signedAt,
        int revoked,
        int quantity = 1,
        string policy = """{"accept_sandbox": true, "sandbox_credits_per_user": 1000, "sandbox_credits_per_day": 1000}"""
    ) =>
        (
            await db.RowsAsync(
                """
                select a ->> 'outcome' || ' ' || (a ->> 'credits_added') from record_transaction($1, jsonb_build_object(
                  'environment', $2::text, 'transaction_id', '9' || replace($1::text, '-', ''), 'product_id', $3::text, 'quantity', $4, 'app_account_token', $1,
                  'price', 1990, 'currency', 'EUR', 'purchased_at', 1790000000000, 'signed_at', 1790000000000 + $5, 'revoked_percentage', $6), 'app', $7) a
                """,
                user,
                environment,
                Apple.Pack25,
                quantity,
                signedAt,
                revoked,
                policy
            )
        )[0];
}
