using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.AppStore;
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
    public async Task In_the_sandbox_each_product_may_be_bought_twice_and_a_day_holds_ten_such_buyers()
    {
        await shop.ExecuteAsync("update purchases set credited_at = credited_at - interval '2 days' where environment = 'Sandbox'");
        var phones = await Task.WhenAll(Enumerable.Range(0, 11).Select(_ => shop.NewGuestAsync()));
        string[] packs = [Apple.Pack25, Apple.Pack60, Apple.Pack150];
        foreach (var pack in packs.Concat(packs))
        {
            Assert.Null((await BuyAsync(phones[0], pack)).Reason);
        }
        Assert.Equal((0, "sandbox_limit_of_user"), await BuyAsync(phones[0]));
        // Nine times as much is left of the day: ten buyers at once cannot take more.
        await Task.WhenAll(phones[1..].SelectMany(phone => packs.Concat(packs).Select(pack => BuyAsync(phone, pack))));
        Assert.InRange(
            await shop.QueryAsync<long>("select sum(credits) from purchases where environment = 'Sandbox' and credited_at > now() - interval '1 day'"),
            4700 - 149,
            4700
        );
        Assert.True(await shop.QueryAsync<long>("select count(*) from quota_log where reason = 'iap_purchase' and note = 'Sandbox'") > 0);
        Assert.Equal(2L, await shop.QueryAsync<long>("select count(*) from alerts where kind = 'sandbox_purchase'"));
        // Real purchases are not affected.
        var (_, signed) = await shop.Apple.BuyAsync(Apple.Pack150, phones[0].UserId);
        Assert.Equal(150, (await phones[0].PostAsync("/update-credits", new { signed_transaction = signed }))["credits_added"].GetInt32());
        await shop.AssertLedgerAsync();
        Assert.Equal(0L, await shop.QueryAsync<long>("select count(*) from alerts where kind = 'sandbox_cap'"));

        // Caps of the operator's own hold as before; the start says which products do not fit them.
        await shop.RestartServerAsync(new() { ["Purchases:SandboxCreditsPerUser"] = "50", ["Purchases:SandboxCreditsPerDay"] = "100000" });
        Assert.Equal((0, "sandbox_limit_of_user"), await BuyAsync(await shop.NewGuestAsync(), Apple.Pack60));
        var alerts = await Eventually.IsAsync(
            () => shop.RowsAsync("select message from alerts where kind = 'sandbox_cap' order by dedupe_key"),
            rows => rows.Count == 2
        );
        Assert.Contains(Apple.Pack150, alerts[0], StringComparison.Ordinal);
        Assert.Contains(Apple.Pack60, alerts[1], StringComparison.Ordinal);
        await shop.RestartServerAsync(new() { ["Purchases:AcceptSandbox"] = "false" });
        Assert.Equal((0, "sandbox_not_accepted"), await BuyAsync(await shop.NewGuestAsync()));
    }

    [Fact]
    public async Task Of_sixty_bogus_claims_at_once_no_more_reach_apple_than_may_fail()
    {
        var phone = await shop.NewGuestAsync();
        var books = shop.Simulators.Services.GetRequiredService<AppStoreState>();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 60).Select(number => phone.PostAsync("/update-credits", new { transaction_id = $"99900000000{number:00}" }))
        );
        Assert.InRange(books.Lookups.Keys.Count(id => id.StartsWith("99900000000", StringComparison.Ordinal)), 1, 3);
        Assert.InRange(answers.Count(answer => answer.Code == "ERR_4011"), 1, 3);
        Assert.All(answers, answer => Assert.True(answer.Code is "ERR_4011" or "ERR_4004", answer.Text));
        Assert.All(answers.Where(answer => answer.Code == "ERR_4004"), answer => Assert.NotNull(answer.Raw.Headers.RetryAfter));
        // Apple is not asked about them again, which would get in the way of other tests.
        await shop.ExecuteAsync($"delete from purchase_claims where user_id = '{phone.UserId}'");
    }

    [Fact]
    public async Task Good_claims_give_their_places_back_and_signed_ones_need_none()
    {
        var phone = await shop.NewGuestAsync();
        for (var count = 0; count < 5; count++)
        {
            var (id, _) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
            Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/update-credits", new { transaction_id = id })).Status);
        }
        Assert.Equal(0L, await shop.QueryAsync<long>($"select count(*) from rate_limit_log where user_id = '{phone.UserId}'"));
        var bought = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => shop.Apple.BuyAsync(Apple.Pack25, phone.UserId)));
        var answers = await Task.WhenAll(bought.Select(one => phone.PostAsync("/update-credits", new { signed_transaction = one.Signed })));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(10 + 25 * 25, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_limit_counts_a_user_wherever_they_call_from()
    {
        var phone = await shop.NewGuestAsync();
        var allowed = await Task.WhenAll(
            Enumerable
                .Range(1, 40)
                .Select(number => shop.RowsAsync($"select (check_rate_limit('roaming', '{phone.UserId}', '10.0.0.{number}', 10, 3600)).allowed"))
        );
        Assert.Equal(10, allowed.Count(rows => rows[0] == "True"));
        var nowhere = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => shop.RowsAsync("select (check_rate_limit('nowhere', null, null, 5, 3600)).allowed"))
        );
        Assert.Equal(5, nowhere.Count(rows => rows[0] == "True"));
    }

    [Fact]
    public async Task A_user_has_no_more_claims_kept_than_allowed_however_many_come_at_once()
    {
        var phone = await shop.NewGuestAsync();
        var claims = $$"""{"sub":"{{phone.UserId}}","role":"authenticated","unverified":true}""";
        await Task.WhenAll(
            Enumerable
                .Range(0, 30)
                .Select(number =>
                    shop.ExecuteAsync($"select set_config('request.jwt.claims', '{claims}', false); select keep_purchase_claim('kept-{number}', 5)")
                )
        );
        Assert.InRange(await shop.QueryAsync<long>($"select count(*) from purchase_claims where user_id = '{phone.UserId}'"), 0, 5);
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
