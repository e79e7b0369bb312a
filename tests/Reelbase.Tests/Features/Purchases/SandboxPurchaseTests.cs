using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>
/// The sandbox's caps, with no limit of failed claims beside them: whichever buyer comes too late for the day's last credits is refused by the cap each time, and not
/// by that limit from the fourth time on.
/// </summary>
public sealed class SandboxPurchaseTests(TestSystem shop) : IClassFixture<TestSystem>
{
    [Fact]
    public async Task In_the_sandbox_each_product_may_be_bought_twice_and_a_day_holds_ten_such_buyers()
    {
        await UtcTime.SameDayAsync();
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
        var (_, signed) = await shop.PretendApple.BuyAsync(Apple.Pack150, phones[0].UserId);
        Assert.Equal(150, (await phones[0].PostAsync("/update-credits", new { signed_transaction = signed }))["credits_added"].GetInt32());
        await shop.AssertLedgerAsync();
        Assert.Equal(0L, await shop.QueryAsync<long>("select count(*) from alerts where kind = 'sandbox_cap'"));

        // Caps of the operator's own hold as before; the start says which products do not fit them.
        await using var capped = await shop.WithSettingsAsync(
            new() { ["Purchases:SandboxCreditsPerUser"] = "50", ["Purchases:SandboxCreditsPerDay"] = "100000" }
        );
        Assert.Equal((0, "sandbox_limit_of_user"), await BuyAsync(await shop.NewGuestAsync(), Apple.Pack60));
        var alerts = await Eventually.IsAsync(
            () => shop.RowsAsync("select message from alerts where kind = 'sandbox_cap' order by dedupe_key"),
            rows => rows.Count == 2
        );
        Assert.Contains(Apple.Pack150, alerts[0], StringComparison.Ordinal);
        Assert.Contains(Apple.Pack60, alerts[1], StringComparison.Ordinal);
        await using var closed = await shop.WithSettingsAsync(new() { ["Purchases:AcceptSandbox"] = "false" });
        Assert.Equal((0, "sandbox_not_accepted"), await BuyAsync(await shop.NewGuestAsync()));
    }

    private async Task<(int Added, string? Reason)> BuyAsync(Phone phone, string product = Apple.Pack25)
    {
        var (_, signed) = await shop.PretendApple.BuyAsync(product, phone.UserId, environment: "Sandbox");
        var answer = await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        return answer.Status == HttpStatusCode.OK ? (answer["credits_added"].GetInt32(), null) : (0, answer.ReadReason());
    }
}
