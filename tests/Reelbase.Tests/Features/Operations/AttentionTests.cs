using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Localization;
using Reelbase.Server.Features.Jobs.VideoLibrary;
using Reelbase.Server.Features.Operations.Statistics;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What somebody has to see to opens the console, each with its action; and a failed job says in a sentence why, and where the money is.</summary>
public sealed class AttentionTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    private sealed class Plain : IStringLocalizer
    {
        public LocalizedString this[string name] => new(name, name);

        public LocalizedString this[string name, params object[] arguments] =>
            new(name, string.Format(System.Globalization.CultureInfo.InvariantCulture, name, arguments));

        public IEnumerable<LocalizedString> GetAllStrings(bool includeParentCultures) => [];
    }

    private async Task<List<AdminAttention>> ReadAsync() =>
        (await system.GetAsync("/admin-overview"))["attention"].Deserialize<List<AdminAttention>>(Json.Options)!;

    [Fact]
    public async Task Everything_that_needs_somebody_is_listed_once_with_its_action()
    {
        Assert.Empty(await ReadAsync());
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync(
            $"""
            insert into purchases (environment, transaction_id, product_id, quantity, credits, purchased_at, signed_at, source)
              select 'Production', 'nobody.1', (select product_id from products order by 1 limit 1), 1, 5, now(), now(), 'notification';
            insert into purchases (environment, transaction_id, user_id, product_id, quantity, credits, purchased_at, signed_at, source)
              values ('Production', 'no.product', '{phone.UserId}', 'com.example.not.listed', 1, 0, now(), now(), 'app');
            insert into webhook_deliveries (provider, event_id, event_type, payload, status, dead_at) values ('app_store', 'dead.1', 'TEST', null, 'failed', now());
            select write_ledger('{phone.UserId}', -15, 'apple_refund');
            select raise_alert('ledger_mismatch', '2026-11-27:{phone.UserId}', 'The ledger does not add up');
            update installation set ai_consent = 'on';
            insert into user_consents (user_id, kind, version) values ('{phone.UserId}', 'ai_processing', 'an older one')
            """
        );
        var items = await ReadAsync();
        Assert.Equal(
            ["ledger_remark", "balance_below_zero", "purchases_unowned", "purchases_waiting", "dead_work", "consents_expired"],
            items.Select(item => item.Kind)
        );
        foreach (var item in items)
        {
            Assert.StartsWith("admin/", Attention.Address(item), StringComparison.Ordinal);
            Assert.NotEqual(item.Kind, Attention.Describe(new Plain(), item));
        }
        Assert.Equal($"admin/users/{phone.UserId}", Attention.Address(items[1]));
        Assert.Equal("User " + phone.UserId + " has -5 credits.", Attention.Describe(new Plain(), items[1]));
    }

    [Theory]
    [InlineData("ERR_5002", "", "[]", 8, 8, "It expired in the queue of fal without having been accepted there. All 8 credits were given back.")]
    [InlineData(
        "ERR_5001",
        "",
        """[{"outcome":"ambiguous"}]""",
        8,
        8,
        "Nobody knows whether fal got it: no answer and no webhook came until its deadline. All 8 credits were given back."
    )]
    [InlineData("ERR_5001", "", """[{"outcome":"failed","provider_job_id":"r"}]""", 8, 8, "fal took longer than its deadline. All 8 credits were given back.")]
    [InlineData("ERR_5003", "", """[{"outcome":"failed","provider_job_id":"r"}]""", 8, 3, "fal refused the content. 3 of 8 credits were given back.")]
    [InlineData("ERR_4013", "", "[]", 8, 8, "The user took their consent back before it was sent. All 8 credits were given back.")]
    [InlineData("ERR_5002", "cancel_requested_at", "[]", 0, 0, "It was cancelled. Nothing was charged for it.")]
    public void A_failed_job_says_in_a_sentence_why_and_what_became_of_the_money(
        string code,
        string mark,
        string submissions,
        int charged,
        int returned,
        string story
    )
    {
        var data = new JsonObject
        {
            ["job"] = new JsonObject
            {
                ["status"] = "failed",
                ["error_code"] = code,
                ["provider"] = "fal",
                ["credits_charged"] = charged,
                ["credits_returned"] = returned,
                [mark.Length > 0 ? mark : "none"] = "2026-11-27T00:00:00Z",
            },
            ["submissions"] = JsonNode.Parse(submissions),
        };
        Assert.Equal(story, JobStory.Describe(new Plain(), data.Deserialize<AdminJobDetailsResponse>(Json.Options)!));
    }
}
