using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Whose a purchase is, what becomes of one that nobody can credit yet, and the tier that purchases give.</summary>
public sealed class PurchaseOwnershipTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    private readonly Apple _apple = new(system.Control);

    [Theory]
    [InlineData(100, 25)]
    [InlineData(37.5, 9)]
    public async Task A_refund_of_a_purchase_from_before_the_upgrade_takes_its_credits_back(double percentage, int takenBack)
    {
        var phone = await system.NewGuestAsync();
        // Sold under a product id of long ago, and without an account token: the ledger is all that knows of it.
        var (id, _) = await _apple.BuyAsync("com.example.of-long-ago");
        await ImportAsync(phone, 25, id);
        await _apple.RefundAsync(id, percentage);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35 - takenBack);
        // The app brings the same news, and somebody else tries to have it.
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/update-credits", new { transaction_id = id })).Status);
        Assert.Equal("ERR_4012", (await (await system.NewGuestAsync()).PostAsync("/update-credits", new { transaction_id = id })).Code);
        Assert.Equal(35 - takenBack, await phone.CreditsAsync());
        await _apple.ReverseRefundAsync(id);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
        Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from quota_log where transaction_id = '{id}'"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_refund_that_the_older_system_booked_is_not_booked_again()
    {
        var phone = await system.NewGuestAsync();
        var (id, _) = await _apple.BuyAsync(Apple.Pack25, phone.UserId);
        await ImportAsync(phone, 25, id);
        await ImportAsync(phone, -25, id + ":refund:1", "apple_refund");
        await _apple.RefundAsync(id);
        await DrainedAsync();
        Assert.Equal(10, await phone.CreditsAsync());
        await _apple.ReverseRefundAsync(id);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_purchase_of_an_unknown_product_waits_and_is_credited_when_the_product_is_saved()
    {
        var product = NewProduct();
        var ada = await system.NewGuestAsync();
        var ben = await system.NewGuestAsync();
        var (first, signed) = await _apple.BuyAsync(product, ada.UserId);
        var answer = await ada.PostAsync("/update-credits", new { signed_transaction = signed });
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(
            (true, 0, true, 10, 10),
            (
                answer["success"].GetBoolean(),
                answer["credits_added"].GetInt32(),
                answer["pending"].GetBoolean(),
                answer["credits_remaining"].GetInt32(),
                answer["total_credits"].GetInt32()
            )
        );
        Assert.Equal(HttpStatusCode.OK, (await ada.PostAsync("/update-credits", new { signed_transaction = signed })).Status);
        var (second, _) = await _apple.BuyAsync(product, ben.UserId, quantity: 2, notify: true);
        var (refunded, _) = await _apple.BuyAsync(product, ben.UserId, notify: true);
        var (half, _) = await _apple.BuyAsync(product, ben.UserId, notify: true);
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from purchases where product_id = '{product}' and credited_at is null"),
            rows => rows == 4
        );
        await _apple.RefundAsync(refunded);
        await _apple.RefundAsync(half, 50);
        await DrainedAsync();
        Assert.Equal(4L, await system.QueryAsync<long>($"select count(*) from alerts where kind = 'purchase_unknown_product' and message like '%{product}%'"));
        var waiting = await system.GetAsync("/admin-list-purchases?state=waiting&limit=100");
        Assert.Contains(waiting["rows"].EnumerateArray(), row => row.GetProperty("transaction_id").GetString() == first);

        await SaveAsync(product, 40);
        await Eventually.IsAsync(ada.CreditsAsync, credits => credits == 50);
        await Eventually.IsAsync(ben.CreditsAsync, credits => credits == 10 + 80 + 20);
        Assert.Equal(
            [$"{first}|40", $"{half}|40", $"{second}|80"],
            await system.RowsAsync(
                $"select p.transaction_id, q.change from purchases p join quota_log q using (transaction_id) where p.product_id = '{product}' order by q.change, p.transaction_id"
            )
        );
        Assert.Equal(0, (await ada.PostAsync("/update-credits", new { signed_transaction = signed }))["credits_added"].GetInt32());
        // What was refunded while it waited comes to life when the refund is reversed.
        await _apple.ReverseRefundAsync(refunded);
        await Eventually.IsAsync(ben.CreditsAsync, credits => credits == 10 + 80 + 20 + 40);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Hundreds_that_wait_for_a_product_are_all_credited()
    {
        var product = NewProduct();
        var phone = await system.NewGuestAsync();
        await system.QueryAsync<long>(
            $$"""
            select count(record_transaction(null, jsonb_build_object('environment', case when n % 5 = 0 then 'Sandbox' else 'Production' end,
              'transaction_id', '{{product}}-' || n, 'product_id', '{{product}}', 'quantity', 1, 'app_account_token', '{{phone.UserId}}',
              'purchased_at', 1790000000000, 'signed_at', 1790000000000, 'revoked_percentage', 0), 'notification',
              '{"accept_sandbox":true}')) from generate_series(1, 250) n
            """
        );
        Assert.Equal(10, await phone.CreditsAsync());
        await SaveAsync(product, 1);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 260);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Support_gives_a_purchase_without_an_owner_to_its_owner_once()
    {
        var phone = await system.NewGuestAsync();
        var other = await system.NewGuestAsync();
        var (id, _) = await _apple.BuyAsync(Apple.Pack25, notify: true);
        await DrainedAsync();
        var listed = await system.GetAsync("/admin-list-purchases?state=unowned&limit=100");
        Assert.Contains(listed["rows"].EnumerateArray(), row => row.GetProperty("transaction_id").GetString() == id);

        var key = Guid.NewGuid();
        var body = Assignment(id, phone);
        var given = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => system.PostAsync("/admin-assign-purchase", body, key)));
        Assert.All(given, answer => Assert.Equal((HttpStatusCode.OK, 25), (answer.Status, answer["credits_added"].GetInt32())));
        var again = await system.PostAsync("/admin-assign-purchase", body);
        Assert.Equal((HttpStatusCode.OK, 0), (again.Status, again["credits_added"].GetInt32()));
        Assert.Equal("ERR_4012", (await system.PostAsync("/admin-assign-purchase", Assignment(id, other))).Code);
        Assert.Equal("ERR_4012", (await other.PostAsync("/update-credits", new { transaction_id = id })).Code);
        Assert.Equal((35, 10), (await phone.CreditsAsync(), await other.CreditsAsync()));
        Assert.Equal(
            [$"{phone.UserId}|25|the receipt was sent by mail"],
            await system.RowsAsync($"select target_user_id, amount, reason from admin_actions where action_type = 'purchase_assign' and target_id = '{id}'")
        );

        // One of which nobody has notified us yet: Apple is asked. And one that nobody knows.
        var (unheard, _) = await _apple.BuyAsync(Apple.Pack60);
        Assert.Equal(60, (await system.PostAsync("/admin-assign-purchase", Assignment(unheard, phone)))["credits_added"].GetInt32());
        Assert.Equal("ERR_4007", (await system.PostAsync("/admin-assign-purchase", Assignment("1234567890", phone))).Code);
        // One that names its buyer is its buyer's, whoever support has in mind.
        var (named, _) = await _apple.BuyAsync(Apple.Pack25, other.UserId);
        Assert.Equal("ERR_4012", (await system.PostAsync("/admin-assign-purchase", Assignment(named, phone))).Code);
        Assert.Equal((95, 35), (await phone.CreditsAsync(), await other.CreditsAsync()));
        await _apple.RefundAsync(unheard);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Premium_goes_with_the_full_refund_of_the_last_purchase_that_gave_it_and_comes_back()
    {
        var product = NewProduct();
        await SaveAsync(product, 20, "premium");
        var phone = await system.NewGuestAsync();
        var (first, _) = await _apple.BuyAsync(product, phone.UserId, notify: true);
        var (second, _) = await _apple.BuyAsync(product, phone.UserId, notify: true);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 50);
        Assert.Equal("premium", await TierAsync(phone));
        await _apple.RefundAsync(first);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 30);
        Assert.Equal("premium", await TierAsync(phone));
        await _apple.RefundAsync(second, 99);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 11);
        Assert.Equal("premium", await TierAsync(phone));
        await _apple.RefundAsync(second);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 10);
        Assert.Equal("free", await TierAsync(phone));
        await _apple.ReverseRefundAsync(first);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 30);
        Assert.Equal("premium", await TierAsync(phone));
    }

    [Fact]
    public async Task Premium_that_an_admin_granted_is_the_admins_to_take()
    {
        var product = NewProduct();
        await SaveAsync(product, 20, "premium");
        var phone = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await SetTierAsync(phone, "premium")).Status);
        var (id, _) = await _apple.BuyAsync(product, phone.UserId, notify: true);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 30);
        await _apple.RefundAsync(id);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 10);
        Assert.Equal("premium", await TierAsync(phone));
        Assert.Equal(HttpStatusCode.OK, (await SetTierAsync(phone, "free")).Status);
        Assert.Equal("free", await TierAsync(phone));
        // What was paid for stays.
        await _apple.ReverseRefundAsync(id);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 30);
        var answer = await SetTierAsync(phone, "free");
        Assert.Equal((HttpStatusCode.OK, "premium"), (answer.Status, answer["tier"].GetString()));
        Assert.Equal("premium", await TierAsync(phone));
    }

    [Fact]
    public async Task Premium_of_a_guest_follows_into_the_member_and_goes_with_its_refund()
    {
        var product = NewProduct();
        await SaveAsync(product, 20, "premium");
        var subject = "001." + Guid.NewGuid().ToString("N");
        var member = await system.NewGuestAsync();
        await member.PostAsync("/merge-guest-user", new { id_token = (await _apple.SignInAsync(subject)).Token });
        var guest = await system.NewGuestAsync();
        var (id, _) = await _apple.BuyAsync(product, guest.UserId, notify: true);
        await Eventually.IsAsync(guest.CreditsAsync, credits => credits == 30);
        await guest.PostAsync("/merge-guest-user", new { id_token = (await _apple.SignInAsync(subject)).Token });
        Assert.Equal("premium", await TierAsync(member));
        await _apple.RefundAsync(id);
        await Eventually.IsAsync(member.CreditsAsync, credits => credits == 20);
        Assert.Equal("free", await TierAsync(member));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_product_that_gives_no_tier_may_say_so()
    {
        var product = NewProduct();
        await SaveAsync(product, 20, "free");
        var phone = await system.NewGuestAsync();
        await _apple.BuyAsync(product, phone.UserId, notify: true);
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 30);
        Assert.Equal("free", await TierAsync(phone));
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("zeros")]
    [InlineData("deleted")]
    public async Task An_account_token_that_names_nobody_alive_counts_as_absent(string kind)
    {
        var gone = await system.NewGuestAsync();
        if (kind == "deleted")
        {
            Assert.Equal(HttpStatusCode.OK, (await gone.PostTextAsync("/delete-account", "{}")).Status);
        }
        var token =
            kind == "deleted" ? gone.UserId
            : kind == "zeros" ? Guid.Empty
            : Guid.NewGuid();
        var phone = await system.NewGuestAsync();
        var (id, signed) = await _apple.BuyAsync(Apple.Pack25, token, notify: true);
        await DrainedAsync();
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from quota_log where transaction_id = '{id}'"));
        var answer = await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(25, answer["credits_added"].GetInt32());
        Assert.Equal("ERR_4012", (await (await system.NewGuestAsync()).PostAsync("/update-credits", new { signed_transaction = signed })).Code);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_living_owner_is_credited_whoever_reports_it()
    {
        var ada = await system.NewGuestAsync();
        var ben = await system.NewGuestAsync();
        var (_, signed) = await _apple.BuyAsync(Apple.Pack25, ada.UserId);
        Assert.Equal("ERR_4012", (await ben.PostAsync("/update-credits", new { signed_transaction = signed })).Code);
        Assert.Equal((35, 10), (await ada.CreditsAsync(), await ben.CreditsAsync()));
        Assert.Equal(0, (await ada.PostAsync("/update-credits", new { signed_transaction = signed }))["credits_added"].GetInt32());
    }

    [Fact]
    public async Task A_purchase_once_credited_never_moves_also_when_its_owner_leaves()
    {
        var ada = await system.NewGuestAsync();
        var (id, signed) = await _apple.BuyAsync(Apple.Pack25);
        await ada.PostAsync("/update-credits", new { signed_transaction = signed });
        await ada.PostTextAsync("/delete-account", "{}");
        var ben = await system.NewGuestAsync();
        Assert.Equal("ERR_4012", (await ben.PostAsync("/update-credits", new { signed_transaction = signed })).Code);
        Assert.Equal("ERR_4012", (await system.PostAsync("/admin-assign-purchase", Assignment(id, ben))).Code);
        // One that waits for its product is not credited yet, and its buyer may come back under another id.
        var product = NewProduct();
        var left = await system.NewGuestAsync();
        var (_, waiting) = await _apple.BuyAsync(product);
        Assert.True((await left.PostAsync("/update-credits", new { signed_transaction = waiting }))["pending"].GetBoolean());
        await left.PostTextAsync("/delete-account", "{}");
        Assert.True((await ben.PostAsync("/update-credits", new { signed_transaction = waiting }))["pending"].GetBoolean());
        await SaveAsync(product, 7);
        await Eventually.IsAsync(ben.CreditsAsync, credits => credits == 17);
        await system.AssertLedgerAsync();
    }

    private static string NewProduct() => "com.example.new." + Guid.NewGuid().ToString("N")[..12];

    private static object Assignment(string id, Phone phone) =>
        new
        {
            transaction_id = id,
            user_id = phone.UserId,
            reason = "the receipt was sent by mail",
        };

    /// <summary>A row as an older system's ledger had it, taken over at the upgrade.</summary>
    private Task ImportAsync(Phone phone, int change, string transactionId, string reason = "iap_purchase") =>
        system.ExecuteAsync(
            $"""
            begin; update users set credits_remaining = credits_remaining + {change} where id = '{phone.UserId}';
            insert into quota_log (user_id, change, reason, transaction_id, balance_after, imported_at, created_at)
            select id, {change}, '{reason}', '{transactionId}', credits_remaining, now(), now() - interval '60 days' from users where id = '{phone.UserId}';
            commit
            """
        );

    private async Task SaveAsync(string product, int credits, string? tier = null)
    {
        var answer = await system.PostAsync(
            "/admin-save-product",
            new
            {
                product_id = product,
                credits,
                grants_tier = tier,
                reason = "a new product",
            }
        );
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
    }

    private Task<ApiResponse> SetTierAsync(Phone phone, string tier) =>
        system.PostAsync(
            "/admin-set-tier",
            new
            {
                user_id = phone.UserId,
                tier,
                reason = "a friend of the team",
            }
        );

    private Task<string> TierAsync(Phone phone) => system.QueryAsync<string>($"select tier from users where id = '{phone.UserId}'");

    private Task<long> DrainedAsync() =>
        Eventually.IsAsync(
            () => system.QueryAsync<long>("select count(*) from webhook_deliveries where inbox = 'app_store' and status = 'pending'"),
            rows => rows == 0
        );
}
