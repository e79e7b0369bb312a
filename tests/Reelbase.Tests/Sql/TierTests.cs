using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>The tier follows from purchases and grants, whoever writes; and the nightly walk over the buyers.</summary>
[Quick]
public sealed class TierTests(SqlDatabase database)
{
    private const string Policy = """{"accept_sandbox":true}""";

    [Fact]
    public async Task The_tier_is_derived_whatever_is_written()
    {
        await using var sql = await database.BeginAsync();
        await sql.RunAsync("insert into products (product_id, credits, grants_tier) values ('tier.premium', 5, 'premium')");
        var user = await sql.NewUserAsync();
        async Task<string> TierAsync() => await sql.ValueAsync<string>("select tier from users where id = $1", user);
        await RecordAsync(sql, user, "1", 0, 1);
        Assert.Equal("premium", await TierAsync());
        // By hand it can be granted and the grant taken; what was bought stays.
        await sql.RunAsync("update users set tier = 'free' where id = $1", user);
        Assert.Equal("premium", await TierAsync());
        await RecordAsync(sql, user, "1", 100_000, 2);
        Assert.Equal("free", await TierAsync());
        await sql.RunAsync("update users set tier = 'premium' where id = $1", user);
        Assert.Equal("premium", await TierAsync());
        await RecordAsync(sql, user, "1", 0, 3);
        await RecordAsync(sql, user, "1", 100_000, 4);
        Assert.Equal("premium", await TierAsync());
        await sql.RunAsync("update users set tier = 'free' where id = $1", user);
        Assert.Equal("free", await TierAsync());
        // A product that changes its mind takes nothing from those who bought.
        await RecordAsync(sql, user, "2", 0, 5);
        await sql.RunAsync("update products set grants_tier = null where product_id = 'tier.premium'");
        await RecordAsync(sql, user, "2", 50_000, 6);
        Assert.Equal("premium", await TierAsync());
        await sql.RunAsync("update users set deleted_at = now() where id = $1", user);
        Assert.Equal("free", await TierAsync());
        await sql.AssertSoundAsync();
    }

    [Fact]
    public async Task Premium_carried_over_stays_until_a_purchase_from_before_explains_it()
    {
        await using var sql = await database.BeginAsync();
        await sql.RunAsync("insert into products (product_id, credits, grants_tier) values ('tier.premium', 5, 'premium')");
        var user = await sql.NewUserAsync();
        await sql.RunAsync("update users set premium_granted_by = 'import' where id = $1", user);
        await sql.RunAsync("select write_ledger($1, 5, 'iap_purchase', null, 'tier-old')", user);
        // A new one that is refunded explains nothing.
        await RecordAsync(sql, user, "new", 0, 1);
        await RecordAsync(sql, user, "new", 100_000, 2);
        Assert.Equal("premium", await sql.ValueAsync<string>("select tier from users where id = $1", user));
        await RecordAsync(sql, null, "old", 0, 1);
        Assert.Equal("premium", await sql.ValueAsync<string>("select tier from users where id = $1", user));
        await RecordAsync(sql, null, "old", 100_000, 2);
        Assert.Equal("free|0", (await sql.RowsAsync("select tier, credits_remaining from users where id = $1", user))[0]);
        await sql.AssertSoundAsync();
    }

    [Fact]
    public async Task The_upgrade_distinguishes_granted_bought_and_unexplained_premium()
    {
        await using var sql = await database.BeginAsync();
        await sql.RunAsync("insert into products (product_id, credits, grants_tier) values ('tier.premium', 5, 'premium')");
        var granted = await sql.NewUserAsync();
        var bought = await sql.NewUserAsync();
        var refunded = await sql.NewUserAsync();
        var unexplained = await sql.NewUserAsync();
        await RecordAsync(sql, bought, "bought", 0, 1);
        await RecordAsync(sql, refunded, "refunded", 0, 1);
        await RecordAsync(sql, refunded, "refunded", 100_000, 2);
        await sql.RunAsync(
            "insert into admin_actions (action_type, target_user_id, reason, details) values ('user_tier', $1, 'a friend', '{\"to\":\"premium\"}')",
            granted
        );
        // As it was before: nobody had written down why.
        await sql.RunAsync("set constraints all immediate");
        await sql.RunAsync("alter table users disable trigger user");
        await sql.RunAsync("alter table purchases disable trigger user");
        await sql.RunAsync("update purchases set grants_tier = null where product_id = 'tier.premium'");
        await sql.RunAsync(
            "update users set tier = 'premium', premium_granted_by = null where id = any ($1)",
            new[] { granted, bought, refunded, unexplained }
        );
        var text = await File.ReadAllTextAsync(Repository.PathOf("database/migrations/0015_purchases_that_wait.sql"));
        await sql.RunAsync(text[text.IndexOf("-- What gave those who are premium", StringComparison.Ordinal)..]);
        Assert.Equal(
            ["premium|admin", "premium|", "free|", "premium|import"],
            await sql.RowsAsync(
                "select tier, premium_granted_by from users join unnest($1) with ordinality as u (id, place) using (id) order by place",
                new[] { granted, bought, refunded, unexplained }
            )
        );
        Assert.Equal(
            1L,
            await sql.ValueAsync<long>($"select count(*) from reelbase.migration_report where line like 'user {unexplained} is premium and nothing says why%'")
        );
    }

    [Fact]
    public async Task The_nightly_walk_goes_by_key_in_portions_and_goes_on_where_it_was()
    {
        await using var sql = await database.BeginAsync();
        var buyers = new List<Guid>();
        for (var number = 0; number < 5; number++)
        {
            var user = await sql.NewUserAsync();
            buyers.Add(user);
            await RecordAsync(sql, user, $"walk-{number}", 0, 1, "com.rendioai.credits.starter.25");
        }
        buyers.Sort((one, other) => string.CompareOrdinal(one.ToString(), other.ToString()));
        var last = buyers[^1];
        await sql.RunAsync("update purchases set purchased_at = now() - interval '200 days' where user_id = $1", last);
        await sql.RunAsync("insert into reconciliations (environment, leased_by, lease_until) values ('Production', 'first', now()) on conflict do nothing");
        await sql.RunAsync("update reconciliations set leased_by = 'first', lease_until = now(), buyers_after = null where environment = 'Production'");
        var walked = new List<string>();
        for (var portion = 0; portion < 20; portion++)
        {
            var rows = await sql.RowsAsync("select user_id, transaction_id from next_buyers_to_check('Production', 'first', 2)");
            Assert.True(rows.Count <= 2);
            if (rows.Count == 0)
            {
                break;
            }
            // It breaks off after one of each portion, and nobody is left out or asked about twice.
            walked.Add(rows[0]);
            var parts = rows[0].Split('|');
            await sql.RunAsync("select note_buyer_checked('Production', 'first', $1, nullif($2, ''))", Guid.Parse(parts[0]), parts[1]);
        }
        var ours = walked.Where(row => buyers.Contains(Guid.Parse(row.Split('|')[0]))).ToList();
        Assert.Equal(buyers.Select(buyer => buyer.ToString()), ours.Select(row => row.Split('|')[0]));
        Assert.EndsWith("|", ours[^1], StringComparison.Ordinal);
        Assert.Equal("", (await sql.RowsAsync("select buyers_after from reconciliations where environment = 'Production'"))[0]);
        // Whoever lost the lease walks no further.
        Assert.Empty(await sql.RowsAsync("select * from next_buyers_to_check('Production', 'another', 2)"));
    }

    private static Task RecordAsync(SqlCase sql, Guid? user, string id, int revoked, long signedAt, string product = "tier.premium") =>
        sql.RunAsync(
            "select record_transaction(null, $1::jsonb, 'notification', $2::jsonb)",
            System.Text.Json.JsonSerializer.Serialize(
                new
                {
                    environment = "Production",
                    transaction_id = id.StartsWith("walk", StringComparison.Ordinal) ? id : "tier-" + id,
                    product_id = product,
                    quantity = 1,
                    app_account_token = user,
                    purchased_at = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
                    signed_at = signedAt,
                    revoked_percentage = revoked,
                }
            ),
            Policy
        );
}
