using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A charge that brings a balance below the threshold rings the user's phones once for each fall, in the user's language.</summary>
public sealed class LowCreditsPushTests(LowCreditsPushTests.Installation system) : IClassFixture<LowCreditsPushTests.Installation>
{
    private const int Threshold = 15;
    private const string Setting = "Generation:LowCreditsBelow";

    /// <summary>A system that says when credits run low; a job takes 8.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings => new(base.Settings) { [Setting] = $"{Threshold}" };
    }

    private async Task<(Phone Phone, string Token)> NewPhoneAsync(int credits, string language = "en", string kind = "alert")
    {
        var (phone, token) = (await system.NewGuestAsync(credits), RandomNumberGenerator.GetHexString(64, lowercase: true));
        await system.ExecuteAsync($"update users set language = '{language}' where id = '{phone.UserId}'");
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/register-push-token", new { token, kind })).Status);
        Assert.Equal(credits, await phone.CreditsAsync());
        return (phone, token);
    }

    private static async Task PressAsync(Phone phone)
    {
        var answer = await phone.GenerateAsync("A kite [slow 600]");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
    }

    private Task<long> RowsAsync(string token) =>
        system.QueryAsync<long>($"select count(*) from push_notifications where token = '{token}' and event = 'low_credits'");

    private Task SentAsync(string token) =>
        Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from push_notifications where token = '{token}' and status = 'pending'"),
            pending => pending == 0
        );

    private async Task<List<JsonElement>> PushesAsync(string token) =>
        [
            .. (await system.PretendApple.PushesAsync(token))
                .Select(push => push.GetProperty("payload"))
                .Where(payload => payload.TryGetProperty("event", out var what) && what.GetString() == "low_credits"),
        ];

    private static (string, string, int) Words(JsonElement payload)
    {
        var alert = payload.GetProperty("aps").GetProperty("alert");
        return (alert.GetProperty("title").GetString()!, alert.GetProperty("body").GetString()!, payload.GetProperty("credits_remaining").GetInt32());
    }

    [Fact]
    public async Task A_fall_below_the_threshold_rings_once_and_the_next_one_only_after_the_balance_was_there_again()
    {
        var (phone, token) = await NewPhoneAsync(31, "tr");
        await PressAsync(phone);
        Assert.Equal(0L, await RowsAsync(token));
        await PressAsync(phone);
        Assert.Equal(0L, await RowsAsync(token));
        await PressAsync(phone);
        Assert.Equal(1L, await RowsAsync(token));
        var first = Assert.Single(await Eventually.IsAsync(() => PushesAsync(token), all => all.Count > 0));
        Assert.Equal(("Krediniz azalıyor", "7 krediniz kaldı.", 7), Words(first));
        await SentAsync(token);
        // Below already: a credit more changes nothing.
        await system.ExecuteAsync($"select add_credits('{phone.UserId}', 1, 'admin_adjustment')");
        await PressAsync(phone);
        Assert.Equal(1L, await RowsAsync(token));
        await system.ExecuteAsync($"select add_credits('{phone.UserId}', 15, 'admin_adjustment')");
        await PressAsync(phone);
        Assert.Equal(2L, await RowsAsync(token));
        Assert.Equal(2, (await Eventually.IsAsync(() => PushesAsync(token), all => all.Count > 1)).Count);
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("en", 22, "Your credits are running low", "You have 14 credits left.")]
    [InlineData("es", 22, "Te quedan pocos créditos", "Te quedan 14 créditos.")]
    [InlineData("tr", 22, "Krediniz azalıyor", "14 krediniz kaldı.")]
    public async Task The_words_are_in_the_users_language(string language, int credits, string title, string body)
    {
        var (phone, token) = await NewPhoneAsync(credits, language);
        await PressAsync(phone);
        Assert.Equal((title, body, credits - 8), Words(Assert.Single(await Eventually.IsAsync(() => PushesAsync(token), all => all.Count > 0))));
    }

    [Fact]
    public async Task A_repeated_press_rings_no_second_time_and_a_background_token_shows_nothing()
    {
        var (phone, token) = await NewPhoneAsync(20, kind: "background");
        var (key, body) = (Guid.NewGuid(), new { model_id = Catalog.FastModel, prompt = "A kite [slow 600]" });
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/generate-video", body, key)).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/generate-video", body, key)).Status);
        Assert.Equal(1L, await RowsAsync(token));
        var push = Assert.Single(await Eventually.IsAsync(() => PushesAsync(token), all => all.Count > 0));
        Assert.Equal("""{"content-available":1}""", JsonSerializer.Serialize(push.GetProperty("aps")));
    }

    [Fact]
    public async Task Operators_change_the_threshold_or_switch_it_off_without_a_restart()
    {
        var limits = system.Server.Services.GetRequiredService<ServerLimits>();
        var (phone, token) = await NewPhoneAsync(20);
        await SaveAsync(0);
        await PressAsync(phone);
        Assert.Equal(0L, await RowsAsync(token));
        await SaveAsync(5);
        await PressAsync(phone);
        Assert.Equal(1L, await RowsAsync(token));
        await SaveAsync(null);

        async Task SaveAsync(int? value)
        {
            var answer = await system.PostAsync(
                "/admin-save-app-settings",
                new { settings = new Dictionary<string, object?> { [Setting] = value }, reason = "a test of the threshold" }
            );
            Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
            await Eventually.IsAsync(() => Task.FromResult(limits.Of(Setting, Threshold) == (value ?? Threshold)), isThere => isThere);
        }
    }
}
