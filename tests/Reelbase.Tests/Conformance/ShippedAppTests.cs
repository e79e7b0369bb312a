using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The shipped iOS app against this server: every answer it reads, and the traps it sets, by their number.</summary>
public sealed class ShippedAppTests(ShippedAppTests.Compatible system) : IClassFixture<ShippedAppTests.Compatible>
{
    /// <summary>The app sends its anon key and a user_id; the compatibility switch is on.</summary>
    public sealed class Compatible : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Server:AcceptUnverifiedUserId"] = "true" };

        /// <summary>The app's own HTTP: an anon key and JSON on everything.</summary>
        public HttpClient App()
        {
            var http = Anybody();
            var key = ((AccessTokens)Server.Services.GetService(typeof(AccessTokens))!).CreateAnonKey();
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            http.DefaultRequestHeaders.Add("apikey", key);
            return http;
        }
    }

    [Fact]
    public async Task Signing_in_buying_and_leaving_work_without_a_token_and_the_old_id_keeps_working()
    {
        using var app = system.App();
        var apple = new Apple(system.Control);
        var subject = "001." + Guid.NewGuid().ToString("N");
        var first = await system.NewGuestAsync();
        var second = await system.NewGuestAsync();
        // The app sends the device id of its profile, or the user id in its place.
        var linked = await PostAsync(app, "/functions/v1/merge-guest-user", new { device_id = first.DeviceId, apple_sub = subject });
        ShippedApp.DecodeUser(linked["user"]);
        Assert.Equal(first.UserId, linked["user"].GetProperty("id").GetGuid());
        var merged = await PostAsync(app, "/functions/v1/merge-guest-user", new { device_id = second.UserId, apple_sub = subject });
        Assert.Equal((first.UserId, 20), (merged["user"].GetProperty("id").GetGuid(), merged["user"].GetProperty("credits_remaining").GetInt32()));
        // What every phone sends after signing out means nobody; a known Apple account is found all the same.
        var signedOut = await PostAsync(app, "/functions/v1/merge-guest-user", new { device_id = "device-123", apple_sub = subject });
        Assert.Equal(first.UserId, signedOut["user"].GetProperty("id").GetGuid());
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await PostAsync(app, "/functions/v1/merge-guest-user", new { device_id = "device-123", apple_sub = "nobody" })).Status
        );
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(app, "/functions/v1/merge-guest-user", new { device_id = "", apple_sub = subject })).Status);

        var (id, _) = await apple.BuyAsync(Apple.Pack25, second.UserId);
        var bought = await PostAsync(app, "/functions/v1/update-credits", new { user_id = second.UserId, transaction_id = id });
        Assert.Equal(
            (true, 25, 45, 45),
            (bought["success"].GetBoolean(), bought["credits_added"].GetInt32(), bought["credits_remaining"].GetInt32(), bought["total_credits"].GetInt32())
        );
        Assert.True((await PostAsync(app, "/functions/v1/delete-account", new { user_id = second.UserId }))["success"].GetBoolean());
        foreach (var gone in new[] { first.UserId, second.UserId })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await app.GetAsync($"/functions/v1/get-user-profile?user_id={gone}")).StatusCode);
        }
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Every_answer_of_a_whole_first_day_is_decoded()
    {
        using var app = system.App();
        var device = Guid.NewGuid().ToString().ToUpperInvariant();
        var onboarded = await PostAsync(app, "/functions/v1/device-check", new { device_id = device, device_token = Phone.TokenOf(device) });
        ShippedApp.DecodeDeviceCheck(onboarded.Json);
        var user = onboarded["user_id"].GetString();
        ShippedApp.DecodeCredits(await app.GetFromJsonAsync<JsonElement>($"/functions/v1/get-user-credits?user_id={user}"));
        ShippedApp.DecodeUser(await app.GetFromJsonAsync<JsonElement>($"/functions/v1/get-user-profile?user_id={user}"));
        ShippedApp.DecodeModels(await app.GetFromJsonAsync<JsonElement>("/functions/v1/get-models"));
        using var press = new HttpRequestMessage(HttpMethod.Post, "/functions/v1/generate-video")
        {
            Content = JsonContent.Create(
                new
                {
                    user_id = user,
                    theme_id = Catalog.BoatTheme,
                    prompt = "trimmed text",
                    settings = new
                    {
                        resolution = "720p",
                        aspect_ratio = "auto",
                        duration = 8,
                    },
                }
            ),
            Headers = { { "Idempotency-Key", Guid.NewGuid().ToString().ToUpperInvariant() } },
        };
        var generated = await Answer.ReadAsync(await app.SendAsync(press));
        Assert.Equal(HttpStatusCode.OK, generated.Status);
        ShippedApp.DecodeGenerated(generated.Json);
        var job = generated["job_id"].GetString();
        ShippedApp.DecodeStatus(await app.GetFromJsonAsync<JsonElement>($"/functions/v1/get-video-status?job_id={job}"));
        var done = await Eventually.IsAsync(
            () => app.GetFromJsonAsync<JsonElement>($"/functions/v1/get-video-status?job_id={job}"),
            status => status.GetProperty("status").GetString() == "completed"
        );
        ShippedApp.DecodeStatus(done);
        ShippedApp.DecodeHistory(await app.GetFromJsonAsync<JsonElement>($"/functions/v1/get-video-jobs?user_id={user}&limit=20&offset=0"));
        var tokens = await PostAsync(app, "/auth/v1/token?grant_type=refresh_token", new { refresh_token = onboarded["refresh_token"].GetString() });
        ShippedApp.DecodeTokens(tokens.Json);
        using var plain = new HttpClient();
        Assert.NotEmpty(await plain.GetByteArrayAsync(done.GetProperty("video_url").GetString()));
        ShippedApp.DecodeSuccess((await PostAsync(app, "/functions/v1/delete-video-job", new { job_id = job, user_id = user })).Json);
    }

    [Fact]
    public async Task T1_a_device_id_may_be_any_text()
    {
        var answer = await Phone.CheckAsync(system.Url, "2000000012345678", Phone.TokenOf("T1"));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        ShippedApp.DecodeDeviceCheck(answer.Json);
    }

    [Fact]
    public async Task T2_three_attempts_a_launch_are_never_refused_for_a_known_device()
    {
        var phone = await system.NewGuestAsync();
        for (var attempt = 0; attempt < 30; attempt++)
        {
            Assert.Equal(HttpStatusCode.OK, (await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId))).Status);
        }
    }

    [Fact]
    public async Task T3_the_tokens_of_earlier_device_checks_keep_working()
    {
        var first = await system.NewGuestAsync();
        await Phone.OnboardAsync(system.Url, first.DeviceId);
        Assert.Equal(HttpStatusCode.OK, (await first.GetAsync("/get-user-credits")).Status);
    }

    [Theory]
    [InlineData("guest-preview-id")]
    [InlineData("user-placeholder-id")]
    [InlineData("user-2000000099999999")]
    [InlineData("")]
    [InlineData("' or 1=1 --")]
    public async Task T9_a_user_id_that_is_no_uuid_is_not_found_and_never_an_error_of_ours(string user)
    {
        using var app = system.App();
        foreach (var path in new[] { "get-user-credits", "get-user-profile", "get-video-jobs" })
        {
            using var answer = await app.GetAsync($"/functions/v1/{path}?user_id={Uri.EscapeDataString(user)}");
            Assert.True(answer.StatusCode == HttpStatusCode.NotFound, $"{path} answered {(int)answer.StatusCode}");
        }
        // The same from somebody signed in: an id that is nobody's is not found, not forbidden.
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await (await system.NewGuestAsync()).GetAsync($"/get-user-credits?user_id={Uri.EscapeDataString(user)}")).Status
        );
    }

    [Fact]
    public async Task T10_jobs_of_a_removed_model_stay_with_a_name()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync(
            "insert into models (id, name, cost_per_generation, provider_model_id) values ('c0000000-0000-4000-8000-000000000001', 'Short-lived', 3, 'fal-ai/veo3.1/fast')"
        );
        var job = (
            await phone.PostAsync("/generate-video", new { model_id = "c0000000-0000-4000-8000-000000000001", prompt = "Outlives its model" }, Guid.NewGuid())
        )["job_id"]
            .GetString();
        await phone.WatchAsync(job!);
        await system.ExecuteAsync("delete from models where id = 'c0000000-0000-4000-8000-000000000001'");
        var history = await phone.GetAsync("/get-video-jobs");
        ShippedApp.DecodeHistory(history.Json);
        Assert.Equal("Short-lived", history["jobs"][0].GetProperty("model_name").GetString());
        Assert.Equal("Short-lived", (await phone.GetAsync($"/get-video-status?job_id={job}"))["model_name"].GetString());
    }

    [Fact]
    public async Task T12_charge_answer_and_refund_are_one_number()
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.GenerateAsync("One number [fail]", settings: new { duration = 6 });
        await phone.WatchAsync(answer["job_id"].GetString()!);
        Assert.Equal(6, answer["credits_used"].GetInt32());
        Assert.Equal(["-6", "6"], await system.RowsAsync($"select change from quota_log where job_id = '{answer["job_id"]}' order by seq"));
    }

    [Fact]
    public async Task T13_every_theme_has_a_duration_and_no_null_inside()
    {
        foreach (var settings in await system.RowsAsync("select default_settings from themes"))
        {
            Assert.Contains(JsonDocument.Parse(settings).RootElement.GetProperty("duration").GetInt32(), new[] { 4, 6, 8 });
        }
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() =>
            system.ExecuteAsync("""insert into themes (name, default_settings) values ('Bad', '{"a":{"b":null}}')""")
        );
    }

    [Fact]
    public async Task T14_any_whole_duration_from_4_to_12_is_accepted()
    {
        var phone = await system.NewGuestAsync(100);
        for (var seconds = 4; seconds <= 12; seconds++)
        {
            Assert.Equal(
                HttpStatusCode.OK,
                (
                    await phone.GenerateAsync(
                        $"Duration {seconds}",
                        settings: new
                        {
                            duration = seconds,
                            resolution = "720p",
                            aspect_ratio = "auto",
                        }
                    )
                ).Status
            );
        }
    }

    [Fact]
    public async Task T15_every_model_offers_720p() =>
        Assert.Empty(
            await system.RowsAsync(
                "select name from models where required_fields #> '{settings,resolution,options}' is not null and not required_fields #> '{settings,resolution,options}' ? '720p'"
            )
        );

    [Fact]
    public async Task T16_a_replay_says_so_and_a_key_of_another_user_is_no_obstacle()
    {
        var key = Guid.NewGuid();
        var phone = await system.NewGuestAsync();
        await phone.GenerateAsync("Replayed", key);
        Assert.Equal("true", (await phone.GenerateAsync("Replayed", key)).Raw.Headers.GetValues("X-Idempotent-Replay").Single());
        Assert.Equal(HttpStatusCode.OK, (await (await system.NewGuestAsync()).GenerateAsync("Replayed", key)).Status);
    }

    [Fact]
    public async Task T17_refusals_have_their_own_status()
    {
        var poor = await system.NewGuestAsync(0);
        Assert.Equal(HttpStatusCode.PaymentRequired, (await poor.GenerateAsync("Poor")).Status);
    }

    [Fact]
    public async Task T20_a_bad_token_on_a_file_is_a_real_401_or_403()
    {
        using var http = system.Anybody();
        Assert.Equal(HttpStatusCode.Forbidden, (await http.GetAsync("/storage/v1/object/sign/videos/x/y.mp4?token=expired")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/storage/v1/object/authenticated/videos/x/y.mp4")).StatusCode);
    }

    [Fact]
    public async Task T24_deleting_anothers_job_is_not_found()
    {
        var job = (await (await system.NewGuestAsync()).GenerateAsync("Not yours"))["job_id"].GetString();
        var other = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await other.PostAsync("/functions/v1/delete-video-job", new { job_id = job, user_id = other.UserId })).Status);
    }

    [Fact]
    public async Task T25_error_messages_are_ours_and_never_the_providers()
    {
        var phone = await system.NewGuestAsync();
        var last = await phone.GenerateAndWatchAsync("Provider words [reject]");
        Assert.DoesNotContain("content could not be processed", last.GetRawText(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("fal", last.GetProperty("error_message").GetString(), StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<Answer> PostAsync(HttpClient http, string path, object body) => await Answer.ReadAsync(await http.PostAsJsonAsync(path, body));
}
