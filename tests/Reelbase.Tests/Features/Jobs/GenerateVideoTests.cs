using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.Fal;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Accepting a generation: price, limits, repeats and refusals.</summary>
[Collection(SharedProduct.Name)]
public sealed class GenerateVideoTests(TestSystem system)
{
    [Fact]
    public async Task A_theme_alone_uses_the_active_model_and_the_themes_prompt_and_settings()
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.PostAsync("/generate-video", new { theme_id = Catalog.BoatTheme }, Guid.NewGuid());
        Assert.Equal(8, answer["credits_used"].GetInt32());
        Assert.Equal("pending", answer["status"].GetString());
        var job = await phone.GetAsync($"/get-video-status?job_id={answer["job_id"]}");
        Assert.StartsWith("A paper boat", job["prompt"].GetString(), StringComparison.Ordinal);
        Assert.Equal("Wan 3.0", job["model_name"].GetString());
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(4, 4)]
    [InlineData(5, 4)]
    [InlineData(7, 6)]
    [InlineData(12, 8)]
    [InlineData(60, 8)]
    public async Task A_duration_snaps_to_the_nearest_option_and_charge_answer_and_refund_use_it(int asked, int charged)
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.GenerateAsync($"Snap [reject] {asked}", settings: new { duration = asked });
        Assert.Equal(charged, answer["credits_used"].GetInt32());
        await phone.WatchAsync(answer["job_id"].GetString()!);
        Assert.Equal(
            [$"video_generation|{-charged}", $"generation_failed_refund|{charged}"],
            await system.RowsAsync($"select reason, change from quota_log where job_id = '{answer["job_id"]}' order by seq")
        );
    }

    [Theory]
    [InlineData("""{"duration":0}""")]
    [InlineData("""{"duration":61}""")]
    [InlineData("""{"duration":"8"}""")]
    [InlineData("""{"duration":4.5}""")]
    [InlineData("""{"duration":-5}""")]
    [InlineData("""{"resolution":"9000p"}""")]
    [InlineData("""{"resolution":720}""")]
    [InlineData("""{"aspect_ratio":["16:9"]}""")]
    [InlineData("""{"audio":"yes"}""")]
    [InlineData("""{"colour":"red"}""")]
    public async Task A_setting_that_the_model_does_not_offer_is_an_error_and_changes_nothing(string settings)
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.PostTextAsync(
            "/generate-video",
            $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"A bad setting","settings":{{settings}} }""",
            Guid.NewGuid().ToString()
        );
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("ERR_4003", answer.Code);
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from video_jobs where user_id = '{phone.UserId}'"));
    }

    [Fact]
    public async Task Sound_costs_its_surcharge()
    {
        var phone = await system.NewGuestAsync(20);
        Assert.Equal(12, (await phone.GenerateAsync("With sound", settings: new { audio = true }))["credits_used"].GetInt32());
    }

    [Theory]
    [InlineData(Catalog.SoraModel)]
    [InlineData("00000000-0000-4000-8000-000000000000")]
    [InlineData("not-a-uuid")]
    public async Task A_model_that_is_not_offered_is_not_found(string model)
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.PostAsync("/generate-video", new { model_id = model, prompt = "No such model" }, Guid.NewGuid());
        Assert.Equal(HttpStatusCode.NotFound, answer.Status);
        Assert.Equal("ERR_4002", answer.Code);
    }

    [Fact]
    public async Task A_model_past_its_sunset_is_not_offered()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync(
            "insert into models (id, name, provider_model_id, sunset_at) values ('b0000000-0000-4000-8000-000000000001', 'Gone', 'fal-ai/gone', now() - interval '1 minute')"
        );
        Assert.Equal(
            "ERR_4002",
            (await phone.PostAsync("/generate-video", new { model_id = "b0000000-0000-4000-8000-000000000001", prompt = "Too late" }, Guid.NewGuid())).Code
        );
        Assert.DoesNotContain("\"Gone\"", (await phone.GetAsync("/get-models")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Neither_model_nor_theme_is_an_error() =>
        Assert.Equal("ERR_4003", (await (await system.NewGuestAsync()).PostAsync("/generate-video", new { prompt = "With what?" }, Guid.NewGuid())).Code);

    [Fact]
    public async Task A_model_that_needs_an_image_says_so()
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.PostAsync("/generate-video", new { model_id = Catalog.ImageModel, prompt = "Without a picture" }, Guid.NewGuid());
        Assert.Equal("ERR_4003", answer.Code);
        Assert.Equal("image_url", answer["error"].GetProperty("details").GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://user:pass@host/x.jpg")]
    [InlineData("not an address")]
    public async Task An_image_address_must_be_an_address(string url)
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal(
            "ERR_4003",
            (
                await phone.PostAsync(
                    "/generate-video",
                    new
                    {
                        model_id = Catalog.ImageModel,
                        prompt = "A picture",
                        image_url = url,
                    },
                    Guid.NewGuid()
                )
            ).Code
        );
    }

    [Fact]
    public async Task A_prompt_is_counted_as_people_count()
    {
        var phone = await system.NewGuestAsync(100);
        // A family of four is one character to a person, seven code points and eleven UTF-16 units to a machine.
        const string family = "👨‍👩‍👧‍👦";
        Assert.Equal(HttpStatusCode.BadRequest, (await phone.GenerateAsync(family + family)).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync(family + family + family)).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync(new string('é', 1000))).Status);
        Assert.Equal("ERR_4003", (await phone.GenerateAsync(new string('é', 1001))).Code);
        Assert.Equal("ERR_4003", (await phone.GenerateAsync("  ab  ")).Code);
    }

    [Fact]
    public async Task Without_enough_credits_nothing_happens_and_the_same_key_works_after_topping_up()
    {
        var phone = await system.NewGuestAsync(5);
        var key = Guid.NewGuid();
        var refused = await phone.GenerateAsync("Too dear", key);
        Assert.Equal(HttpStatusCode.PaymentRequired, refused.Status);
        Assert.Equal("ERR_4001", refused.Code);
        Assert.Equal(
            (8, 5),
            (
                refused["error"].GetProperty("details").GetProperty("required").GetInt32(),
                refused["error"].GetProperty("details").GetProperty("available").GetInt32()
            )
        );
        await system.QueryAsync<string>($"select add_credits('{phone.UserId}', 10, 'admin_adjustment')::text");
        var accepted = await phone.GenerateAsync("Too dear", key);
        Assert.Equal(HttpStatusCode.OK, accepted.Status);
        Assert.False(accepted.Raw.Headers.Contains("X-Idempotent-Replay"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("{1b4e28ba-2fa1-11d2-883f-0016d3cca427}")]
    public async Task A_missing_or_malformed_key_is_an_error(string? key)
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.PostTextAsync("/generate-video", $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"No key" }""", key);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("ERR_4008", answer.Code);
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_replay_is_the_stored_answer_although_the_job_has_moved_on()
    {
        var phone = await system.NewGuestAsync();
        var key = Guid.NewGuid();
        var first = await phone.GenerateAsync("Asked again", key);
        await phone.WatchAsync(first["job_id"].GetString()!);
        var again = await phone.GenerateAsync("Asked again", key);
        Assert.Equal(first.Text, again.Text);
        Assert.Equal("true", again.Raw.Headers.GetValues("X-Idempotent-Replay").Single());
        Assert.Equal(2, await phone.CreditsAsync());
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused()
    {
        var phone = await system.NewGuestAsync(100);
        var key = Guid.NewGuid();
        await phone.GenerateAsync("One thing", key);
        var other = await phone.GenerateAsync("Another thing", key);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.Status);
        Assert.Equal("ERR_4009", other.Code);
        Assert.Equal(92, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_key_belongs_to_its_user_and_blocks_nobody_else()
    {
        var key = Guid.NewGuid();
        var first = await (await system.NewGuestAsync()).GenerateAsync("Mine", key);
        var second = await (await system.NewGuestAsync()).GenerateAsync("Yours", key);
        Assert.Equal(HttpStatusCode.OK, second.Status);
        Assert.NotEqual(first["job_id"].GetString(), second["job_id"].GetString());
    }

    [Fact]
    public async Task A_key_is_free_again_after_a_day()
    {
        var phone = await system.NewGuestAsync(100);
        var key = Guid.NewGuid();
        var first = await phone.GenerateAsync("Yesterday", key);
        await system.ExecuteAsync($"update idempotency_log set expires_at = now() - interval '1 second' where idempotency_key = '{key}'");
        var second = await phone.GenerateAsync("Today", key);
        Assert.Equal(HttpStatusCode.OK, second.Status);
        Assert.NotEqual(first["job_id"].GetString(), second["job_id"].GetString());
    }

    [Fact]
    public async Task A_guest_has_ten_an_hour_and_replays_and_refusals_do_not_count()
    {
        await using var strict = new Strict();
        await strict.InitializeAsync();
        var phone = await strict.NewGuestAsync(200);
        var key = Guid.NewGuid();
        var first = await phone.GenerateAsync("First", key);
        Assert.Equal("10", first.Raw.Headers.GetValues("X-RateLimit-Limit").Single());
        Assert.Equal("9", first.Raw.Headers.GetValues("X-RateLimit-Remaining").Single());
        Assert.True(
            long.Parse(first.Raw.Headers.GetValues("X-RateLimit-Reset").Single(), System.Globalization.CultureInfo.InvariantCulture)
                > DateTimeOffset.UtcNow.ToUnixTimeSeconds()
        );
        await phone.GenerateAsync("First", key);
        await phone.GenerateAsync("x");
        for (var press = 1; press < 10; press++)
        {
            Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync($"Press {press}")).Status);
        }
        var refused = await phone.GenerateAsync("Eleventh");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal("ERR_4004", refused.Code);
        Assert.True(refused.Raw.Headers.RetryAfter?.Delta > TimeSpan.FromMinutes(50));
        Assert.Equal(120, await phone.CreditsAsync());
        await strict.ExecuteAsync($"update users set tier = 'premium' where id = '{phone.UserId}'");
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("Premium")).Status);
    }

    [Fact]
    public async Task Guests_behind_one_address_share_a_limit()
    {
        await using var strict = new Strict();
        await strict.InitializeAsync();
        for (var press = 0; press < 15; press++)
        {
            Assert.Equal(HttpStatusCode.OK, (await (await strict.NewGuestAsync()).GenerateAsync($"Guest {press}")).Status);
        }
        Assert.Equal("ERR_4004", (await (await strict.NewGuestAsync()).GenerateAsync("One guest too many")).Code);
        var member = await strict.NewGuestAsync();
        await strict.ExecuteAsync($"update users set is_guest = false, apple_sub = 'a' where id = '{member.UserId}'");
        Assert.Equal(HttpStatusCode.OK, (await member.GenerateAsync("A member is not a guest")).Status);
    }

    [Fact]
    public async Task A_banned_user_cannot_generate_from_the_next_request_on()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{phone.UserId}'");
        var answer = await phone.GenerateAsync("Banned");
        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Equal("ERR_4006", answer.Code);
    }

    [Fact]
    public async Task Errors_speak_the_language_asked_for_and_the_users_own_choice_wins()
    {
        var phone = await system.NewGuestAsync(0);
        phone.Http.DefaultRequestHeaders.AcceptLanguage.ParseAdd("fr, tr;q=0.8, en;q=0.5");
        Assert.Equal("Bu video 8 kredi tutuyor, sizde 0 kredi var.", (await phone.GenerateAsync("Poor")).Message);
        await phone.PostAsync("/update-user-settings", new { language = "es" });
        Assert.Equal("Este video cuesta 8 créditos y tienes 0 créditos.", (await phone.GenerateAsync("Poor")).Message);
    }

    [Fact]
    public async Task A_job_whose_account_the_provider_refuses_waits_and_completes_when_the_account_is_right_again()
    {
        await using var alone = new TestSystem();
        await alone.InitializeAsync();
        var phone = await alone.NewGuestAsync();
        await using var outage = await alone.OutageAsync("fal", "unauthorized");
        var job = (await phone.GenerateAsync("Our own fault"))["job_id"].GetString()!;
        await Eventually.IsAsync(() => alone.QueryAsync<long>("select count(*) from alerts where kind = 'provider_account'"), alerts => alerts > 0);
        await outage.EndAsync();
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
    }

    [Fact]
    public async Task With_the_provider_away_until_the_deadline_the_credits_come_back()
    {
        await using var hasty = new Hasty();
        await hasty.InitializeAsync();
        var phone = await hasty.NewGuestAsync();
        await using var outage = await hasty.OutageAsync("fal", "down");
        var last = await phone.GenerateAndWatchAsync("Nobody there");
        Assert.Equal("failed", last.GetProperty("status").GetString());
        Assert.Equal("ERR_5002", last.GetProperty("error_code").GetString());
        Assert.Equal(10, await phone.CreditsAsync());
        await hasty.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_success_that_comes_after_the_refund_is_recorded_and_not_delivered()
    {
        await using var alone = new TestSystem();
        await alone.InitializeAsync();
        var phone = await alone.NewGuestAsync();
        // The submission's answer is lost, and the provider is still at it when the deadline passes.
        const string prompt = "Too late [timeout] [slow 600]";
        var accepted = await phone.GenerateAsync(prompt);
        await alone.PassDeadlineAsync(accepted["job_id"].GetString()!);
        var last = (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1];
        Assert.Equal("ERR_5001", last.GetProperty("error_code").GetString());
        // Only after the refund it is done and says so.
        var request = alone.Simulators.Services.GetRequiredService<FalState>().Requests.Values.Single(request => request.Prompt == prompt);
        request.Finish();
        var sent = await ApiResponse.ReadAsync(
            await alone.Control.PostAsJsonAsync("/_control/webhooks/fal", new { request_id = request.Id, variant = "true" })
        );
        Assert.True(sent["accepted"].GetBoolean());
        await Eventually.IsAsync(
            () =>
                alone.RowsAsync(
                    $"select s.outcome, j.provider_cost_micros > 0 from job_submissions s join video_jobs j using (job_id) where j.job_id = '{accepted["job_id"]}'"
                ),
            rows => rows is ["late_success|True"]
        );
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Equal("failed", (await phone.GetAsync($"/get-video-status?job_id={accepted["job_id"]}"))["status"].GetString());
        await alone.AssertLedgerAsync();
    }

    private sealed class Strict : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new() { ["Generation:GuestPerWindow"] = "10", ["Generation:GuestsPerAddressPerWindow"] = "15" };
    }

    private sealed class Hasty : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Generation:QueueDeadlineSeconds"] = "2" };
    }
}
