using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Purchases become credits once, refunds take them back, and nobody's word but Apple's counts.</summary>
public sealed class PurchaseTests(PurchaseTests.Shop shop) : IClassFixture<PurchaseTests.Shop>
{
    public sealed class Shop : TestSystem
    {
        public Apple Apple => new(Control);
    }

    [Fact]
    public async Task A_signed_purchase_is_credited_once_and_its_repetition_adds_nothing()
    {
        var phone = await shop.NewGuestAsync();
        var (id, signed) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);

        var first = await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        var again = await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        var byId = await phone.PostAsync("/update-credits", new { transaction_id = id });

        Assert.Equal((HttpStatusCode.OK, 25, 35, 35), Read(first));
        Assert.Equal((HttpStatusCode.OK, 0, 35, 35), Read(again));
        Assert.Equal((HttpStatusCode.OK, 0, 35, 35), Read(byId));
        Assert.Equal([$"25|iap_purchase|{id}|35", "10|initial_grant||10"], await LedgerAsync(phone));
        Assert.Equal(35, (await phone.GetAsync("/get-user-credits"))["credits_total"].GetInt32());
    }

    [Fact]
    public async Task The_shipped_apps_body_works_and_its_product_id_is_not_believed()
    {
        var phone = await shop.NewGuestAsync();
        var (id, _) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId, quantity: 2);
        var answer = await phone.PostAsync(
            "/functions/v1/update-credits",
            new
            {
                user_id = phone.UserId.ToString().ToUpperInvariant(),
                transaction_id = id,
                product_id = Apple.Pack150,
                receipt_data = Convert.ToBase64String(new byte[200_000]),
                purchase_date = "2026-01-02T03:04:05Z",
            }
        );
        Assert.Equal((HttpStatusCode.OK, 50, 60, 60), Read(answer));
    }

    [Theory]
    [InlineData("""{"change":5}""", "ERR_4000")]
    [InlineData("""{"transaction_id":"1","amount":5}""", "ERR_4000")]
    [InlineData("""{"transaction_id":"1","credits":5}""", "ERR_4000")]
    [InlineData("""{}""", "ERR_4000")]
    [InlineData("""{"transaction_id":"999999999999"}""", "ERR_4011")]
    [InlineData("""{"transaction_id":"1; drop table users"}""", "ERR_4011")]
    [InlineData("""{"transaction_id":""}""", "ERR_4011")]
    [InlineData("""{"signed_transaction":"a.b.c"}""", "ERR_4011")]
    public async Task Nothing_but_a_purchase_gives_credits(string body, string code)
    {
        var phone = await shop.NewGuestAsync();
        Assert.Equal(code, (await phone.PostTextAsync("/update-credits", body)).Code);
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_purchase_of_somebody_else_is_a_conflict_whoever_comes_first()
    {
        var ada = await shop.NewGuestAsync();
        var ben = await shop.NewGuestAsync();
        var (named, signed) = await shop.Apple.BuyAsync(Apple.Pack25, ada.UserId);
        Assert.Equal("ERR_4012", (await ben.PostAsync("/update-credits", new { signed_transaction = signed })).Code);
        Assert.Equal("ERR_4012", (await ben.PostAsync("/update-credits", new { transaction_id = named })).Code);

        var (unnamed, _) = await shop.Apple.BuyAsync(Apple.Pack25);
        Assert.Equal(HttpStatusCode.OK, (await ada.PostAsync("/update-credits", new { transaction_id = unnamed })).Status);
        Assert.Equal("ERR_4012", (await ben.PostAsync("/update-credits", new { transaction_id = unnamed })).Code);
        // What names her is hers, also when it was ben who reported it.
        Assert.Equal((60, 10), (await ada.CreditsAsync(), await ben.CreditsAsync()));
    }

    [Fact]
    public async Task Fifty_users_claim_one_purchase_at_once_and_one_has_it()
    {
        var phones = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => shop.NewGuestAsync()));
        var (id, signed) = await shop.Apple.BuyAsync(Apple.Pack60);
        var answers = await Task.WhenAll(phones.Select(phone => phone.PostAsync("/update-credits", new { signed_transaction = signed })));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK && answer["credits_added"].GetInt32() == 60);
        Assert.Equal(49, answers.Count(answer => answer.Code == "ERR_4012"));
        Assert.Equal(1L, await shop.QueryAsync<long>($"select count(*) from quota_log where transaction_id = '{id}'"));
        await shop.AssertLedgerAsync();
    }

    [Fact]
    public async Task Apples_notification_credits_what_the_app_never_reported_once()
    {
        var phone = await shop.NewGuestAsync();
        var (id, signed) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId, notify: true);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
        Assert.Equal(0, (await phone.PostAsync("/update-credits", new { signed_transaction = signed }))["credits_added"].GetInt32());

        // The same notification, resent by Apple ten times: stored once, handled once.
        var uuid = await shop.QueryAsync<string>($"select event_id from webhook_deliveries where inbox = 'app_store' and user_id = '{phone.UserId}'");
        for (var again = 0; again < 10; again++)
        {
            await shop.Apple.PostAsync($"appstore/notifications/{uuid}/send", new { });
        }
        Assert.Equal(1L, await shop.QueryAsync<long>($"select count(*) from webhook_deliveries where event_id = '{uuid}'"));
        Assert.Equal(1L, await shop.QueryAsync<long>($"select count(*) from quota_log where transaction_id = '{id}'"));
        await shop.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_notification_about_nobody_waits_for_its_owner()
    {
        var phone = await shop.NewGuestAsync();
        var (id, _) = await shop.Apple.BuyAsync(Apple.Pack25, notify: true);
        await Eventually.IsAsync(
            () => shop.QueryAsync<long>($"select count(*) from purchases where transaction_id = '{id}' and user_id is null and credited_at is null"),
            rows => rows == 1
        );
        Assert.Equal(25, (await phone.PostAsync("/update-credits", new { transaction_id = id }))["credits_added"].GetInt32());
    }

    [Fact]
    public async Task A_refund_after_spending_leaves_a_debt_and_its_reversal_takes_it_away()
    {
        var phone = await shop.NewGuestAsync();
        var (id, signed) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        for (var video = 0; video < 4; video++)
        {
            Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("Spent before the refund")).Status);
        }
        Assert.Equal(3, await phone.CreditsAsync());

        await shop.Apple.RefundAsync(id);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == -22);
        var refused = await phone.GenerateAsync("In debt");
        Assert.Equal("ERR_4001", refused.Code);

        await shop.Apple.ReverseRefundAsync(id);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 3);
        Assert.Equal(
            [$"25|apple_refund_reversed|{id}:reversal:1", $"-25|apple_refund|{id}:refund:1", $"25|iap_purchase|{id}"],
            await shop.RowsAsync(
                $"select change, reason, transaction_id from quota_log where user_id = '{phone.UserId}' and transaction_id is not null order by seq desc"
            )
        );
        // What was earned or bought in one's life does not fall with a refund, nor rise with its reversal.
        Assert.Equal(35, (await phone.GetAsync("/get-user-credits"))["credits_total"].GetInt32());
        await shop.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_partial_refund_takes_its_share_rounded_down_and_a_later_one_the_rest()
    {
        var phone = await shop.NewGuestAsync();
        var (id, signed) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        await shop.Apple.RefundAsync(id, 37.5);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 26);
        await shop.Apple.RefundAsync(id);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 10);
        Assert.Equal(
            [$"25|{id}", $"-9|{id}:refund:1", $"-16|{id}:refund:2"],
            await shop.RowsAsync($"select change, transaction_id from quota_log where transaction_id like '{id}%' order by seq")
        );
    }

    [Fact]
    public async Task A_refund_that_overtakes_its_purchase_gives_nothing_and_its_reversal_gives_it_all()
    {
        var phone = await shop.NewGuestAsync();
        var (id, old) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await shop.Apple.RefundAsync(id);
        await Eventually.IsAsync(() => shop.QueryAsync<long>($"select count(*) from purchases where transaction_id = '{id}'"), rows => rows == 1);
        // The app still has what was signed before the refund.
        var answer = await phone.PostAsync("/update-credits", new { signed_transaction = old });
        Assert.Equal(("ERR_4011", "refunded"), (answer.Code, answer["error"].GetProperty("details").GetProperty("reason").GetString()));
        Assert.Equal(10, await phone.CreditsAsync());
        await shop.Apple.ReverseRefundAsync(id);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
        await shop.AssertLedgerAsync();
    }

    [Fact]
    public async Task Apple_learns_how_much_is_used_only_with_consent_and_once_for_each_request()
    {
        var silent = await shop.NewGuestAsync();
        var (unasked, _) = await shop.Apple.BuyAsync(Apple.Pack25, silent.UserId, notify: true);
        var phone = await shop.NewGuestAsync();
        var (id, signed) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        var consent = new
        {
            kind = "consumption_data",
            version = "1",
            granted = true,
        };
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/record-consent", consent)).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/record-consent", consent)).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("Eight")).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("Sixteen")).Status);

        await shop.Apple.AskForRefundAsync(unasked);
        await shop.Apple.AskForRefundAsync(id);
        var sent = await Eventually.IsAsync(() => shop.Apple.ConsumptionsAsync(id), all => all.Count > 0);
        await shop.Apple.AskForRefundAsync(id);
        await DrainedAsync();
        var body = Assert.Single(await shop.Apple.ConsumptionsAsync(id));
        Assert.Equal(sent[0].GetRawText(), body.GetRawText());
        // 35 credits, 16 used: 19 are left of the 25 bought last, so 6 of 25 are used.
        Assert.Equal(24_000, body.GetProperty("consumptionPercentage").GetInt32());
        Assert.Equal("GRANT_PRORATED", body.GetProperty("refundPreference").GetString());
        Assert.True(body.GetProperty("sampleContentProvided").GetBoolean());
        Assert.Empty(await shop.Apple.ConsumptionsAsync(unasked));
        Assert.Equal(1L, await shop.QueryAsync<long>($"select count(*) from purchases where transaction_id = '{unasked}' and refund_requested_at is not null"));

        await shop.Apple.DeclineRefundAsync(id);
        await DrainedAsync();
        Assert.Equal(0L, await shop.QueryAsync<long>($"select count(*) from purchases where transaction_id = '{id}' and refund_requested_at is not null"));
        await phone.PostAsync(
            "/record-consent",
            new
            {
                kind = "consumption_data",
                version = "1",
                granted = false,
            }
        );
        await shop.Apple.AskForRefundAsync(id);
        await DrainedAsync();
        Assert.Single(await shop.Apple.ConsumptionsAsync(id));
    }

    [Fact]
    public async Task While_apple_is_away_the_claim_is_kept_and_credited_when_it_is_back()
    {
        var phone = await shop.NewGuestAsync();
        var (id, _) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await using var outage = await shop.OutageAsync("appstore", "down");
        var away = await phone.PostAsync("/update-credits", new { transaction_id = id });
        await outage.EndAsync();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "ERR_6003"), (away.Status, away.Code));
        Assert.NotNull(away.Raw.Headers.RetryAfter);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
        // The claim goes in a statement of its own, after the credits.
        await Eventually.IsAsync(() => shop.QueryAsync<long>($"select count(*) from purchase_claims where user_id = '{phone.UserId}'"), claims => claims == 0);
    }

    [Theory]
    [InlineData("retryable", 2)]
    [InlineData("account-retryable", 2)]
    [InlineData("html", 1)]
    [InlineData("truncated", 1)]
    [InlineData("general", 1)]
    public async Task Apples_passing_troubles_are_passed_over(string kind, int times)
    {
        var phone = await shop.NewGuestAsync();
        var (id, _) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await using var fault = await shop.FaultAsync(kind, $"/transactions/{id}", times);
        Assert.Equal(25, (await phone.PostAsync("/update-credits", new { transaction_id = id }))["credits_added"].GetInt32());
    }

    [Fact]
    public async Task Apples_rate_limit_says_when_to_come_back_and_the_claim_is_kept()
    {
        var phone = await shop.NewGuestAsync();
        var (id, _) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId);
        await using var fault = await shop.FaultAsync("rate-limit", $"/transactions/{id}", 1);
        var answer = await phone.PostAsync("/update-credits", new { transaction_id = id });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
        // Apple's header is a time in milliseconds; read as seconds it would be a wait of ages.
        Assert.InRange(answer.Raw.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 3);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
    }

    [Fact]
    public async Task Until_an_app_is_released_production_answers_401_and_the_sandbox_is_asked()
    {
        var phone = await shop.NewGuestAsync();
        var (id, _) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId, environment: "Sandbox");
        var (real, _) = await shop.Apple.BuyAsync(Apple.Pack60, phone.UserId);
        await using var outage = await shop.OutageAsync("appstore/production", "unauthorized");
        var credited = await phone.PostAsync("/update-credits", new { transaction_id = id });
        Assert.Equal((HttpStatusCode.OK, 25), (credited.Status, credited["credits_added"].GetInt32()));
        // What the sandbox does not know may well be known to production: kept, and no failure.
        var unavailable = await phone.PostAsync("/update-credits", new { transaction_id = real });
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "ERR_6003"), (unavailable.Status, unavailable.Code));
        Assert.Equal(1L, await shop.QueryAsync<long>($"select count(*) from purchase_claims where user_id = '{phone.UserId}' and transaction_id = '{real}'"));
        Assert.Equal(0L, await shop.QueryAsync<long>($"select count(*) from rate_limit_log where user_id = '{phone.UserId}'"));
        var alert = await shop.QueryAsync<string>("select message from alerts where kind = 'app_store_key' and dedupe_key like '%:Production:key'");
        Assert.Contains("AppStore:IssuerId", alert, StringComparison.Ordinal);
        Assert.Contains("not been released", alert, StringComparison.Ordinal);
        await outage.EndAsync();
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 95);
    }

    [Theory]
    [InlineData("bad-gateway")]
    [InlineData("down")]
    public async Task Nothing_else_says_anything_about_the_environment(string kind)
    {
        var phone = await shop.NewGuestAsync();
        var (id, _) = await shop.Apple.BuyAsync(Apple.Pack25, phone.UserId, environment: "Sandbox");
        await using var outage = await shop.OutageAsync("appstore/production", kind);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await phone.PostAsync("/update-credits", new { transaction_id = id })).Status);
        Assert.Equal(0L, await shop.QueryAsync<long>($"select count(*) from purchases where transaction_id = '{id}'"));
        await outage.EndAsync();
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
    }

    [Theory]
    [InlineData(null, 400)]
    [InlineData("""{"signedPayload":"a.b.c"}""", 401)]
    [InlineData("""{"signedPayload":null}""", 401)]
    [InlineData("""{"signedPayload":5}""", 400)]
    [InlineData("""[]""", 400)]
    public async Task A_notification_that_is_none_is_refused(string? body, int status)
    {
        using var http = shop.Anybody();
        using var content = new StringContent(body ?? "", System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/apple-server-notifications", content);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Apples_test_notification_is_taken_and_one_that_fails_comes_again_on_apples_schedule()
    {
        using var http = shop.Anybody();
        await shop.Apple.PostAsync("appstore/notifications/test", new { });
        await Eventually.IsAsync(
            () => shop.QueryAsync<long>("select count(*) from webhook_deliveries where inbox = 'app_store' and event_type = 'TEST' and status = 'processed'"),
            rows => rows > 0
        );
    }

    private async Task DrainedAsync() =>
        await Eventually.IsAsync(
            () => shop.QueryAsync<long>("select count(*) from webhook_deliveries where inbox = 'app_store' and status = 'pending'"),
            rows => rows == 0
        );

    private Task<List<string>> LedgerAsync(Phone phone) =>
        shop.RowsAsync($"select change, reason, transaction_id, balance_after from quota_log where user_id = '{phone.UserId}' order by seq desc");

    private static (HttpStatusCode, int, int, int) Read(ApiResponse answer) =>
        answer.Status == HttpStatusCode.OK
            ? (answer.Status, answer["credits_added"].GetInt32(), answer["credits_remaining"].GetInt32(), answer["total_credits"].GetInt32())
            : (answer.Status, 0, 0, 0);
}
