using System.Net;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A guardian takes back, at Apple, that a child uses the app: sessions and what waits end, and nothing is generated until a guardian agrees again.</summary>
public sealed class RescindedConsentTests(TestSystem system) : IClassFixture<TestSystem>
{
    private async Task<Phone> BuyerAsync()
    {
        var phone = await system.NewGuestAsync();
        await BuyAsync(phone);
        return phone;
    }

    private async Task BuyAsync(Phone phone)
    {
        var (_, signed) = await system.PretendApple.BuyAsync(Apple.Pack25, phone.UserId);
        var credited = await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        Assert.True(credited.Status == HttpStatusCode.OK, credited.Text);
    }

    /// <summary>Apple's word, until it was worked off; what the inbox remarks of it.</summary>
    private async Task<string> RescindAsync(object order)
    {
        var sent = await system.PretendApple.PostAsync("appstore/rescissions", order);
        Assert.Equal("SUCCESS", sent.GetProperty("attempts")[0].GetString());
        return await WorkedOffAsync(sent.GetProperty("notification_uuid").GetString()!);
    }

    private async Task<string> WorkedOffAsync(string uuid) =>
        (
            await Eventually.IsAsync(
                () => system.RowsAsync($"select coalesce(last_error, '') from webhook_deliveries where event_id = '{uuid}' and status <> 'pending'"),
                rows => rows.Count == 1
            )
        )[0];

    [Fact]
    public async Task Sessions_end_and_generation_waits_for_a_guardian_twice_is_once_and_an_older_word_changes_nothing()
    {
        var phone = await BuyerAsync();
        var early = DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds();
        Assert.Equal("", await RescindAsync(new { customer = phone.UserId }));
        Assert.Equal(HttpStatusCode.Unauthorized, (await phone.GetAsync("/get-user-credits")).Status);
        var again = await Phone.OnboardAsync(system.Url, phone.DeviceId);
        Assert.Equal(phone.UserId, again.UserId);
        var refused = await again.GenerateAsync("A boat");
        Assert.True((HttpStatusCode.Forbidden, "ERR_4013") == (refused.Status, refused.Code), refused.Text);
        Assert.Equal("guardian", refused["error"].GetProperty("details").GetProperty("kind").GetString());
        await again.PostAsync(
            "/record-consent",
            new
            {
                kind = "guardian",
                version = "1",
                granted = true,
            }
        );
        Assert.Equal(HttpStatusCode.OK, (await again.GenerateAsync("A boat")).Status);
        // Signed before the guardian agreed: late, and of no effect.
        Assert.NotEqual("", await RescindAsync(new { customer = phone.UserId, signed_date = early }));
        Assert.Equal(HttpStatusCode.OK, (await again.GetAsync("/get-user-credits")).Status);
    }

    [Fact]
    public async Task A_word_that_comes_before_the_purchase_is_kept_until_the_account_is_known()
    {
        var phone = await system.NewGuestAsync();
        await RescindAsync(new { customer = phone.UserId });
        Assert.Equal(HttpStatusCode.OK, (await phone.GetAsync("/get-user-credits")).Status);
        var (_, signed) = await system.PretendApple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        Assert.Equal(HttpStatusCode.Unauthorized, (await phone.GetAsync("/get-user-credits")).Status);
    }

    [Fact]
    public async Task What_is_not_apples_word_on_our_app_ends_nothing()
    {
        var phone = await BuyerAsync();
        var id = phone.UserId;
        foreach (
            var hostile in new object[]
            {
                new { customer = id, bundle_id = "com.example.another" },
                new { customer = id, download_environment = "Sandbox" },
                new { customer = id, jws = "" },
                new { customer = id, jws = "eyJhbGciOiJub25lIn0.eyJhcHBUcmFuc2FjdGlvbklkIjoiMSJ9." },
                new { customer = id, environment = "Sandbox" },
            }
        )
        {
            Assert.True((await RescindAsync(hostile)).Length > 0, JsonSerializer.Serialize(hostile));
        }
        Assert.Equal(HttpStatusCode.OK, (await phone.GetAsync("/get-user-credits")).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("A boat")).Status);
    }

    [Fact]
    public async Task What_waits_ends_with_its_credits_back_and_ids_of_downloads_go_with_the_account()
    {
        var phone = await BuyerAsync();
        await system.ExecuteAsync(
            $"select internal.insert_video_job('{phone.UserId}', m.id, m.name, m.provider, null, 'A boat', '{{}}', null, 8, 1800) from models m where id = '{Catalog.FastModel}'; update video_jobs set run_after = now() + interval '20 minutes' where user_id = '{phone.UserId}' and stage = 'queued'"
        );
        var balance = await system.QueryAsync<int>($"select credits_remaining from users where id = '{phone.UserId}'");
        Assert.Equal("", await RescindAsync(new { customer = phone.UserId }));
        Assert.Equal(["failed|ERR_4013"], await system.RowsAsync($"select status, error_code from video_jobs where user_id = '{phone.UserId}'"));
        Assert.Equal(balance + 8, await system.QueryAsync<int>($"select credits_remaining from users where id = '{phone.UserId}'"));
        Assert.Equal(1, await system.QueryAsync<int>($"select cardinality(app_transactions) from users where id = '{phone.UserId}'"));
        await system.ExecuteAsync($"select internal.erase_account('{phone.UserId}')");
        Assert.Equal(0, await system.QueryAsync<int>($"select cardinality(app_transactions) from users where id = '{phone.UserId}'"));
    }
}
