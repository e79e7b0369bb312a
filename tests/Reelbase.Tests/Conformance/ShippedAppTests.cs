using System.Net;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The shipped iOS app against this server, through a whole first day: exactly its requests, every answer decoded as strictly as it does.</summary>
public sealed class ShippedAppTests(ShippedAppTests.Compatible system) : IClassFixture<ShippedAppTests.Compatible>
{
    /// <summary>The app sends its anon key and a user_id; the compatibility switch is on.</summary>
    public sealed class Compatible : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Server:AcceptUnverifiedUserId"] = "true" };

        public string AnonKey => ((AccessTokens)Server.Services.GetService(typeof(AccessTokens))!).CreateAnonKey();

        /// <summary>The app, as it was built: with this server's address and an anon key.</summary>
        public ShippedAppClient App() => new(Url, AnonKey);
    }

    [Fact]
    public async Task A_whole_first_day_is_served_request_by_request()
    {
        using var app = system.App();
        var apple = new Apple(system.Control);

        // First launch: onboarding, then the home screen.
        var device = Guid.NewGuid().ToString().ToUpperInvariant();
        var onboarded = Good(await app.DeviceCheckAsync(device, Phone.TokenOf(device)));
        ShippedApp.DecodeDeviceCheck(onboarded.Json);
        var user = onboarded["user_id"].GetString()!;
        var themes = Good(await app.ThemesAsync());
        ShippedApp.DecodeThemes(themes.Json);
        var theme = themes.Json.EnumerateArray().First();
        ShippedApp.DecodeCredits(Good(await app.CreditsAsync(user)).Json);

        // A theme is chosen; the model is the one that is active.
        ShippedApp.DecodeThemes(Good(await app.ThemeAsync(theme.GetProperty("id").GetString()!)).Json);
        var active = Good(await app.ActiveModelAsync());
        ShippedApp.DecodeModelDetails(active.Json);
        var model = Assert.Single(active.Json.EnumerateArray());
        ShippedApp.DecodeModelDetails(Good(await app.ModelAsync(model.GetProperty("id").GetString()!)).Json);
        ShippedApp.DecodeModels(Good(await app.ModelsAsync()).Json);

        // A picture is chosen, uploaded with the user's token and shown from the address that the phone has built.
        var (uploaded, picture) = await app.UploadAsync(user, onboarded["access_token"].GetString()!, Pictures.Jpeg());
        Good(uploaded);
        using (var shown = await app.MediaAsync(picture))
        {
            Assert.Equal((HttpStatusCode.OK, "image/jpeg"), (shown.StatusCode, shown.Content.Headers.ContentType?.MediaType));
        }

        // The button: credits, generate, credits.
        var duration = Math.Clamp(theme.GetProperty("default_settings").GetProperty("duration").GetInt32(), 4, 12);
        Assert.True(Good(await app.CreditsAsync(user))["credits_remaining"].GetInt32() >= duration);
        var generated = Good(await app.GenerateAsync(user, theme.GetProperty("id").GetString()!, "trimmed text", duration));
        ShippedApp.DecodeGenerated(generated.Json);
        var job = generated["job_id"].GetString()!;
        var left = Good(await app.CreditsAsync(user))["credits_remaining"].GetInt32();
        Assert.Equal(10 - generated["credits_used"].GetInt32(), left);

        // The result screen polls with the job's id alone, then plays and saves.
        ShippedApp.DecodeStatus(Good(await app.StatusAsync(job)).Json);
        Assert.Equal("ok", (await app.WatchAsync(job)).Status);
        var done = await Eventually.IsAsync(() => app.StatusAsync(job), status => status["status"].GetString() is "completed");
        ShippedApp.DecodeStatus(done.Json);
        await PlayAsync(app, done["video_url"].GetString()!);
        ShippedApp.DecodeHistory(Good(await app.HistoryAsync(user)).Json);

        // Signing in sends the stored onboarding value, which is the user id; afterwards the app goes on with the old id.
        var subject = "001." + Guid.NewGuid().ToString("N");
        var merged = Good(await app.MergeAsync(user, subject));
        ShippedApp.DecodeSuccess(merged.Json);
        ShippedApp.DecodeUser(merged["user"]);
        ShippedApp.DecodeUser(Good(await app.ProfileAsync(user)).Json);

        // Members may buy. What is reported again is answered again, also by the other screen.
        var (transaction, _) = await apple.BuyAsync(Apple.Pack25, Guid.Parse(user));
        var bought = Good(await app.PurchaseAsync(user, transaction, Apple.Pack25));
        ShippedApp.DecodePurchase(bought.Json);
        Assert.Equal((25, left + 25), (bought["credits_added"].GetInt32(), bought["total_credits"].GetInt32()));
        var repeated = Good(await app.PurchaseAsync(user, transaction));
        ShippedApp.DecodePurchase(repeated.Json);
        Assert.Equal((0, left + 25), (repeated["credits_added"].GetInt32(), repeated["total_credits"].GetInt32()));

        // Settings of a member.
        var settings = Good(await app.SettingsAsync(user, "tr", "dark"));
        ShippedApp.DecodeSettings(settings.Json);
        Assert.Equal(
            "tr dark",
            string.Join(' ', settings.Json[0].GetProperty("language").GetString(), settings.Json[0].GetProperty("theme_preference").GetString())
        );

        // Second launch: tokens, home, history.
        ShippedApp.DecodeTokens(Good(await app.RefreshAsync(onboarded["refresh_token"].GetString()!)).Json);
        ShippedApp.DecodeThemes(Good(await app.ThemesAsync()).Json);
        Assert.Equal(left + 25, Good(await app.CreditsAsync(user))["credits_remaining"].GetInt32());
        Assert.Equal(job, Good(await app.HistoryAsync(user))["jobs"][0].GetProperty("job_id").GetString());
        ShippedApp.DecodeSuccess(Good(await app.DeleteJobAsync(job, user)).Json);

        // Deletion. The id stays on the phone, and nobody is behind it any more.
        ShippedApp.DecodeSuccess(Good(await app.DeleteAccountAsync(user)).Json);
        foreach (var answer in new[] { await app.CreditsAsync(user), await app.ProfileAsync(user), await app.HistoryAsync(user) })
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.Status);
        }
        await system.AssertLedgerAsync();

        // The table of what is replayed says the truth.
        Assert.Equal(ShippedAppClient.Requests.Where(request => request.Value is null).Select(request => request.Key).Order(StringComparer.Ordinal), app.Made);
    }

    [Fact]
    public async Task A_second_phone_goes_on_under_its_old_id_and_signing_out_leaves_nobody()
    {
        using var app = system.App();
        var apple = new Apple(system.Control);
        var subject = "001." + Guid.NewGuid().ToString("N");
        var first = Good(await app.DeviceCheckAsync(NewDevice(), Phone.TokenOf(NewDevice())))["user_id"].GetString()!;
        var device = NewDevice();
        var second = Good(await app.DeviceCheckAsync(device, Phone.TokenOf(device)))["user_id"].GetString()!;
        Assert.Equal(first, Good(await app.MergeAsync(first, subject))["user"].GetProperty("id").GetString());
        // This time the profile was loaded: its device id in capitals, as it was sent.
        var merged = Good(await app.MergeAsync(device, subject));
        ShippedApp.DecodeUser(merged["user"]);
        Assert.Equal((first, 20), (merged["user"].GetProperty("id").GetString(), merged["user"].GetProperty("credits_remaining").GetInt32()));

        // The merged id works everywhere it is sent, also in capitals.
        Assert.Equal(20, Good(await app.CreditsAsync(second.ToUpperInvariant()))["credits_remaining"].GetInt32());
        var settings = Good(await app.SettingsAsync(second, "es", "light"));
        ShippedApp.DecodeSettings(settings.Json);
        Assert.Equal(second, settings.Json[0].GetProperty("id").GetString());
        var (transaction, _) = await apple.BuyAsync(Apple.Pack25, Guid.Parse(second));
        Assert.Equal(45, Good(await app.PurchaseAsync(second, transaction, Apple.Pack25))["total_credits"].GetInt32());
        var generated = Good(await app.GenerateAsync(second, Catalog.BoatTheme, "Under the old id", 8));
        Assert.Equal(generated["job_id"].GetString(), Good(await app.HistoryAsync(second))["jobs"][0].GetProperty("job_id").GetString());
        ShippedApp.DecodeSuccess(Good(await app.DeleteJobAsync(generated["job_id"].GetString()!, second)).Json);

        // Signed out, every phone sends the same; a known Apple account is found all the same.
        Assert.Equal(HttpStatusCode.NotFound, (await app.ProfileAsync("guest-preview-id")).Status);
        Assert.Equal(first, Good(await app.MergeAsync("device-123", subject))["user"].GetProperty("id").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await app.MergeAsync("device-123", "nobody")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await app.MergeAsync("", subject)).Status);
        ShippedApp.DecodeSuccess(Good(await app.DeleteAccountAsync(second)).Json);
        Assert.Equal(HttpStatusCode.NotFound, (await app.ProfileAsync(first)).Status);
        await system.AssertLedgerAsync();

        static string NewDevice() => Guid.NewGuid().ToString().ToUpperInvariant();
    }

    [Fact]
    public async Task An_install_whose_onboarding_failed_can_read_generate_nothing_and_sign_in()
    {
        using var app = system.App();
        var stable = "20000" + Random.Shared.NextInt64(1_000_000_000, 9_999_999_999);
        Assert.Equal(0, Good(await app.CreditsAsync(stable))["credits_remaining"].GetInt32());
        ShippedApp.DecodeThemes(Good(await app.ThemesAsync()).Json);
        ShippedApp.DecodeHistory(Good(await app.HistoryAsync(stable)).Json);
        Assert.Equal(HttpStatusCode.PaymentRequired, (await app.GenerateAsync(stable, Catalog.BoatTheme, "No credits", 8)).Status);
        var merged = Good(await app.MergeAsync(stable, "001." + Guid.NewGuid().ToString("N")));
        ShippedApp.DecodeUser(merged["user"]);
        Assert.False(merged["user"].GetProperty("is_guest").GetBoolean());
        ShippedApp.DecodeUser(Good(await app.ProfileAsync(stable)).Json);
    }

    [Fact]
    public async Task A_model_that_needs_a_picture_gets_the_one_that_was_uploaded()
    {
        using var app = system.App();
        var device = Guid.NewGuid().ToString().ToUpperInvariant();
        var onboarded = Good(await app.DeviceCheckAsync(device, Phone.TokenOf(device)));
        var user = onboarded["user_id"].GetString()!;
        await system.ExecuteAsync($"update models set is_active = false where is_active; update models set is_active = true where id = '{Catalog.ImageModel}'");
        try
        {
            var model = Assert.Single(Good(await app.ActiveModelAsync()).Json.EnumerateArray());
            Assert.True(model.GetProperty("required_fields").GetProperty("requires_image").GetBoolean());
            var (uploaded, picture) = await app.UploadAsync(user, onboarded["access_token"].GetString()!, Pictures.Jpeg());
            Good(uploaded);
            var generated = Good(await app.GenerateAsync(user, Catalog.BoatTheme, "With a picture", 4, picture));
            ShippedApp.DecodeGenerated(generated.Json);
            var done = await Eventually.IsAsync(
                () => app.StatusAsync(generated["job_id"].GetString()!),
                status => status["status"].GetString() is "completed" or "failed"
            );
            Assert.True(done["status"].GetString() == "completed", done.Text);
        }
        finally
        {
            await system.ExecuteAsync(
                $"update models set is_active = false where is_active; update models set is_active = true where id = '{Catalog.FastModel}'"
            );
        }
    }

    private static ApiResponse Good(ApiResponse answer)
    {
        Assert.True(
            answer.Raw.IsSuccessStatusCode,
            $"{answer.Raw.RequestMessage?.Method} {answer.Raw.RequestMessage?.RequestUri}: {(int)answer.Status} {answer.Text}"
        );
        return answer;
    }

    /// <summary>What AVPlayer has to hear before it plays.</summary>
    private static async Task PlayAsync(ShippedAppClient app, string url)
    {
        using var first = await app.MediaAsync(url, isFirstBytes: true);
        Assert.Equal(HttpStatusCode.PartialContent, first.StatusCode);
        Assert.Equal((0L, 1L), (first.Content.Headers.ContentRange?.From, first.Content.Headers.ContentRange?.To));
        Assert.Equal(2, (await first.Content.ReadAsByteArrayAsync()).Length);
        using var whole = await app.MediaAsync(url);
        Assert.Equal(
            (HttpStatusCode.OK, "video/mp4", "bytes"),
            (whole.StatusCode, whole.Content.Headers.ContentType?.MediaType, whole.Headers.AcceptRanges.Single())
        );
        Assert.Equal(first.Content.Headers.ContentRange?.Length, whole.Content.Headers.ContentLength);
        Assert.NotEmpty(await whole.Content.ReadAsByteArrayAsync());
    }
}
