using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>What the tables of promo codes refuse by themselves, and the limit by address.</summary>
[Quick]
public sealed class PromoCodeSqlTests(SqlDatabase database)
{
    private const string Make = "select create_promo_code(null, 'a test', repeat('ab', 32), 'AB', 'a test', 5, 2, null, null)";

    private const string Redeem =
        """select redeem_promo_code(decode(repeat($1, 32), 'hex'), null, '203.0.113.9', '{"misses":10,"misses_by_address":2,"window_seconds":3600}')::text""";

    [Fact]
    public async Task No_statement_counts_a_code_beyond_its_cap_or_gives_twice()
    {
        await using var db = await database.BeginAsync();
        var (user, id) = (await db.NewUserAsync(10), await db.ValueAsync<Guid>(Make));
        Assert.Equal("23514", await db.RefusalAsync("update promo_codes set redeemed = 3 where id = $1", id));
        const string insert = "insert into promo_redemptions (code_id, number, user_id, credits) values ($1, $2, $3, 5)";
        await db.RunAsync(insert, id, 1, user);
        Assert.Equal("23505", await db.RefusalAsync(insert, id, 1, await db.NewUserAsync()));
        Assert.Equal("23505", await db.RefusalAsync(insert, id, 2, user));
        Assert.Equal("23514", await db.RefusalAsync("select write_ledger($1, -5, 'promo_code')", user));
    }

    [Fact]
    public async Task Wrong_codes_of_one_address_are_counted_for_everybody_behind_it()
    {
        await using var db = await database.BeginAsync();
        await db.RunAsync(Make);
        foreach (var guess in new[] { "01", "02" })
        {
            await db.BecomeAsync(await db.NewUserAsync(isGuest: false));
            Assert.Contains("ERR_4007", await db.ValueAsync<string>(Redeem, guess), StringComparison.Ordinal);
            await db.BecomeOwnerAsync();
        }
        await db.BecomeAsync(await db.NewUserAsync(isGuest: false));
        Assert.Equal("ERR_4004", await db.RefusalAsync(Redeem, "ab"));
    }

    [Fact]
    public async Task Whoever_is_believed_without_a_proof_redeems_nothing()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(isGuest: false);
        await db.RunAsync(Make);
        await db.RunAsync(
            "select set_config('request.jwt.claims', jsonb_build_object('sub', $1, 'role', 'authenticated', 'unverified', true)::text, true)",
            user
        );
        Assert.Equal("ERR_4005", await db.RefusalAsync(Redeem, "ab"));
    }

    [Theory]
    [InlineData("now() - interval '2 days'", "now() - interval '1 day'", "ended", false)]
    [InlineData("now() - interval '2 days'", "now() + interval '1 day'", "active", true)]
    [InlineData("now() + interval '1 day'", "now() + interval '2 days'", "planned", true)]
    [InlineData("now() - interval '2 days'", "null", "active", true)]
    public async Task A_code_whose_time_is_over_has_ended_and_keeps_its_end(string starts, string ends, string state, bool canBeEnded)
    {
        await using var db = await database.BeginAsync();
        var id = await db.ValueAsync<Guid>($"select create_promo_code(null, 'a test', repeat('ab', 32), 'AB', 'a test', 5, 2, {starts}, {ends})");
        const string list = "select state from list_promo_codes() where id = $1";
        const string actions = "select count(*) from admin_actions where action_type = 'promo_code_end'";
        Assert.Equal(state, await db.ValueAsync<string>(list, id));
        var before = await db.ValueAsync<long>(actions);
        Assert.True(await db.ValueAsync<bool>("select end_promo_code(null, 'a test', $1)", id));
        Assert.Equal("ended", await db.ValueAsync<string>(list, id));
        Assert.Equal(canBeEnded, await db.ValueAsync<bool>("select ended_at is not null from promo_codes where id = $1", id));
        Assert.Equal(before + (canBeEnded ? 1 : 0), await db.ValueAsync<long>(actions));
    }
}
