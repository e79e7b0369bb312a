using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The sandbox's caps, the limit of failed claims, and what is found only in Apple's books.</summary>
public sealed class PurchasePolicyTests(PurchasePolicyTests.Shop shop) : IClassFixture<PurchasePolicyTests.Shop>
{
    /// <summary>With the defaults that an operator has.</summary>
    public sealed class Shop : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Purchases:FailedClaimsPerWindow"] = "3" };
        public Apple Apple => new(Control);
    }

    [Fact]
    public async Task The_sandbox_gives_fifty_credits_a_user_and_two_hundred_a_day_and_is_told()
    {
        await shop.ExecuteAsync("update purchases set credited_at = credited_at - interval '2 days' where environment = 'Sandbox'");
        var phones = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => shop.NewGuestAsync()));
        Assert.Equal((25, null), await BuyAsync(phones[0]));
        Assert.Equal((25, null), await BuyAsync(phones[0]));
        Assert.Equal((0, "sandbox_limit_of_user"), await BuyAsync(phones[0]));
        Assert.Equal((0, "sandbox_limit_of_user"), await BuyAsync(phones[1], Apple.Pack60));
        // 150 are left of the day: six at once cannot take more.
        var both = await Task.WhenAll(phones[1..].SelectMany(phone => new[] { BuyAsync(phone), BuyAsync(phone) }));
        Assert.Equal(6, both.Count(bought => bought.Added == 25));
        Assert.All(both.Where(bought => bought.Added == 0), bought => Assert.Equal("sandbox_limit_of_day", bought.Reason));
        Assert.Equal(
            200L,
            await shop.QueryAsync<long>("select sum(credits) from purchases where environment = 'Sandbox' and credited_at > now() - interval '1 day'")
        );
        Assert.Equal(8L, await shop.QueryAsync<long>("select count(*) from quota_log where reason = 'iap_purchase' and note = 'Sandbox'"));
        Assert.Equal(2L, await shop.QueryAsync<long>("select count(*) from alerts where kind = 'sandbox_purchase'"));
        // Real purchases are not affected.
        var (_, signed) = await shop.Apple.BuyAsync(Apple.Pack150, phones[0].UserId);
        Assert.Equal(150, (await phones[0].PostAsync("/update-credits", new { signed_transaction = signed }))["credits_added"].GetInt32());
        await shop.AssertLedgerAsync();

        await shop.RestartServerAsync(new() { ["Purchases:AcceptSandbox"] = "false" });
        Assert.Equal((0, "sandbox_not_accepted"), await BuyAsync(await shop.NewGuestAsync()));
    }

    [Fact]
    public async Task Failed_claims_are_limited_and_good_ones_are_never_counted()
    {
        var phone = await shop.NewGuestAsync();
        for (var count = 0; count < 5; count++)
        {
            var (_, signed) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
            Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/update-credits", new { signed_transaction = signed })).Status);
        }
        for (var count = 0; count < 3; count++)
        {
            Assert.Equal("ERR_4011", (await phone.PostAsync("/update-credits", new { signed_transaction = "a.b.c" })).Code);
        }
        var limited = await phone.PostAsync("/update-credits", new { signed_transaction = "a.b.c" });
        Assert.Equal((HttpStatusCode.TooManyRequests, "ERR_4004"), (limited.Status, limited.Code));
        Assert.NotNull(limited.Raw.Headers.RetryAfter);
        Assert.Equal("ERR_4011", (await (await shop.NewGuestAsync()).PostAsync("/update-credits", new { signed_transaction = "a.b.c" })).Code);
    }

    [Fact]
    public async Task What_apple_could_not_deliver_is_found_in_its_books()
    {
        var phone = await shop.NewGuestAsync();
        var (known, signed) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        await shop.Server.StopAsync();
        await shop.Server.DisposeAsync();
        // While we are down: a purchase that the app never reports, and a refund. Apple tries and fails.
        await shop.Apple.BuyAsync(Apple.Pack60, phone.UserId, notify: true);
        await shop.Apple.RefundAsync(known);
        // And a purchase of the same buyer of which Apple never told at all.
        await shop.Apple.BuyAsync(Apple.Pack150, phone.UserId);
        await shop.StartAgainAsync();
        await ReconcileAsync();
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 10 + 60 + 150);
        // Apple's own next attempt, an hour later, brings nothing new.
        Assert.True((await shop.Apple.PostAsync("appstore/clock", new { hours = 1.1 })).GetProperty("sent").GetInt32() >= 2);
        await ReconcileAsync();
        Assert.Equal(220, await phone.CreditsAsync());
        var report = await shop.QueryAsync<string>("select string_agg(report::text, ' ') from reconciliations where environment = 'Production'");
        Assert.Contains("\"missed_notifications\"", report, StringComparison.Ordinal);
        await shop.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_comparison_that_breaks_off_goes_on_from_where_it_was()
    {
        await ReconcileAsync();
        var covered = await shop.QueryAsync<DateTime>("select covered_until from reconciliations where environment = 'Production'");
        await shop.Apple.PostAsync("appstore/faults", new { kind = "html", count = 6 });
        await shop.ExecuteAsync("select request_reconciliation()");
        await Eventually.IsAsync(() => shop.QueryAsync<long>("select count(*) from reconciliations where report ->> 'fault' is not null"), rows => rows == 2);
        Assert.Equal(
            covered,
            await shop.QueryAsync<DateTime>(
                "select min(covered_until) from reconciliations where report ->> 'fault' is not null and environment = 'Production'"
            )
        );
        await ReconcileAsync();
        Assert.True(await shop.QueryAsync<DateTime>("select covered_until from reconciliations where environment = 'Production'") > covered);
    }

    private async Task<(int Added, string? Reason)> BuyAsync(Phone phone, string product = Apple.Pack25)
    {
        var (_, signed) = await shop.Apple.BuyAsync(product, phone.UserId, environment: "Sandbox");
        var answer = await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        return answer.Status == HttpStatusCode.OK
            ? (answer["credits_added"].GetInt32(), null)
            : (0, answer["error"].GetProperty("details").GetProperty("reason").GetString());
    }

    private async Task ReconcileAsync()
    {
        await shop.ExecuteAsync("select request_reconciliation()");
        await Eventually.IsAsync(
            () => shop.QueryAsync<long>("select count(*) from reconciliations where finished_at is not null and lease_until is null"),
            rows => rows == 2
        );
    }
}
