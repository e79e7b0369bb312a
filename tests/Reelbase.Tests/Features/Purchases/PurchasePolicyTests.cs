using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.AppStore;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The limit of failed claims, and what is found only in Apple's store.</summary>
public sealed class PurchasePolicyTests(PurchasePolicyTests.Shop shop) : IClassFixture<PurchasePolicyTests.Shop>
{
    /// <summary>With the defaults that an operator has.</summary>
    public sealed class Shop : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Purchases:FailedClaimsPerWindow"] = "3" };
        public Apple Apple => new(Control);
    }

    [Fact]
    public async Task Of_sixty_bogus_claims_at_once_no_more_reach_apple_than_may_fail()
    {
        var phone = await shop.NewGuestAsync();
        var store = shop.Simulators.Services.GetRequiredService<AppStoreState>();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 60).Select(number => phone.PostAsync("/update-credits", new { transaction_id = $"99900000000{number:00}" }))
        );
        Assert.InRange(store.Lookups.Keys.Count(id => id.StartsWith("99900000000", StringComparison.Ordinal)), 1, 3);
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
    public async Task What_apple_could_not_deliver_is_found_by_the_reconciler()
    {
        var phone = await shop.NewGuestAsync();
        var (known, signed) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        await using var away = await shop.StopServerAsync();
        // While we are down: a purchase that the app never reports, and a refund. Apple tries and fails.
        await shop.Apple.BuyAsync(Apple.Pack60, phone.UserId, notify: true);
        await shop.Apple.RefundAsync(known);
        // And a purchase of the same buyer of which Apple never notified us.
        await shop.Apple.BuyAsync(Apple.Pack150, phone.UserId);
        await away.EndAsync();
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
        // Until it is said to be over: a number of faults would be used up by whoever asks first, and what is left of it met by another test.
        await using var fault = await shop.FaultAsync("html", "/notifications/history");
        await shop.ExecuteAsync("select request_reconciliation()");
        await Eventually.IsAsync(() => shop.QueryAsync<long>("select count(*) from reconciliations where report ->> 'fault' is not null"), rows => rows == 2);
        Assert.Equal(
            covered,
            await shop.QueryAsync<DateTime>(
                "select min(covered_until) from reconciliations where report ->> 'fault' is not null and environment = 'Production'"
            )
        );
        await fault.EndAsync();
        await ReconcileAsync();
        Assert.True(await shop.QueryAsync<DateTime>("select covered_until from reconciliations where environment = 'Production'") > covered);
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
