using System.Net;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The traps that the shipped app sets, by their number.</summary>
public sealed class ShippedAppTrapTests(ShippedAppTests.Compatible system) : IClassFixture<ShippedAppTests.Compatible>
{
    [Fact]
    public void Every_trap_has_its_test()
    {
        var tested = typeof(ShippedAppTrapTests)
            .GetMethods()
            .SelectMany(method =>
                System
                    .Text.RegularExpressions.Regex.Matches(method.Name, @"(?<![A-Za-z])T(\d+)(?=_)")
                    .Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))
            )
            .ToHashSet();
        Assert.Equal(Enumerable.Range(1, 25), tested.Order());
    }

    [Fact]
    public async Task T11_rows_over_realtime_carry_the_models_name_and_are_decoded_as_jobs()
    {
        var phone = await system.NewGuestAsync();
        using var socket = await ChannelClient.OpenAsync(system.Url, system.AnonKey, "1.0.0");
        await socket.JoinedAsync("realtime:mine", phone.AccessToken, ChannelClient.Changes("video_jobs", "UPDATE"));
        await phone.GenerateAsync("Watched by a build that keeps its subscription");
        var change = await socket.ChangeAsync(data => data.GetProperty("record").GetProperty("status").GetString() == "completed");
        var record = change.Payload.GetProperty("data").GetProperty("record");
        Assert.Equal(JsonValueKind.String, record.GetProperty("model_name").ValueKind);
        ShippedApp.DecodeHistory(JsonSerializer.SerializeToElement(new { jobs = new[] { record } }));
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

    [Fact]
    public async Task T4_T5_T6_a_purchase_has_its_total_short_ids_are_ids_and_a_repetition_is_no_error()
    {
        using var app = system.App();
        var phone = await system.NewGuestAsync();
        var (id, _) = await new Apple(system.Control).BuyAsync(Apple.Pack150, phone.UserId);
        var bought = await app.PurchaseAsync(phone.UserId.ToString(), id, Apple.Pack150);
        ShippedApp.DecodePurchase(bought.Json);
        Assert.Equal((150, 160), (bought["credits_added"].GetInt32(), bought["total_credits"].GetInt32()));
        var again = await app.PurchaseAsync(phone.UserId.ToString(), id, Apple.Pack150);
        Assert.Equal((HttpStatusCode.OK, 0, 160), (again.Status, again["credits_added"].GetInt32(), again["total_credits"].GetInt32()));
        // Two digits are an id like any other: Apple knows none such, and that is what is said.
        var unknown = await app.PurchaseAsync(phone.UserId.ToString(), "12", Apple.Pack25);
        Assert.Equal((HttpStatusCode.BadRequest, "ERR_4011"), (unknown.Status, unknown.Code));
        Assert.Equal(
            ["25", "60", "150"],
            await system.RowsAsync($"select credits from products where product_id in ('{Apple.Pack25}', '{Apple.Pack60}', '{Apple.Pack150}') order by credits")
        );
    }

    [Fact]
    public async Task T7_T8_a_guest_is_promoted_in_place_whatever_form_their_device_id_has()
    {
        using var app = system.App();
        var device = "20000" + Random.Shared.NextInt64(1_000_000_000, 9_999_999_999);
        var user = (await app.DeviceCheckAsync(device, Phone.TokenOf(device)))["user_id"].GetString()!;
        var merged = await app.MergeAsync(device, "001." + Guid.NewGuid().ToString("N"));
        ShippedApp.DecodeUser(merged["user"]);
        Assert.Equal(user, merged["user"].GetProperty("id").GetString());
        Assert.Equal(10, (await app.CreditsAsync(user))["credits_remaining"].GetInt32());
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
        foreach (var answer in new[] { await app.CreditsAsync(Uri.EscapeDataString(user)), await app.ProfileAsync(user), await app.HistoryAsync(user) })
        {
            Assert.True(answer.Status == HttpStatusCode.NotFound, answer.Text);
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
    public async Task T18_a_job_that_fails_after_its_submission_gives_its_credits_back()
    {
        using var app = system.App();
        var phone = await system.NewGuestAsync();
        var user = phone.UserId.ToString();
        var generated = await app.GenerateAsync(user, Catalog.BoatTheme, "Fails later [fail]", 8);
        ShippedApp.DecodeGenerated(generated.Json);
        var failed = await Eventually.IsAsync(() => app.StatusAsync(generated["job_id"].GetString()!), status => status["status"].GetString() == "failed");
        ShippedApp.DecodeStatus(failed.Json);
        Assert.Equal(10, (await app.CreditsAsync(user))["credits_remaining"].GetInt32());
    }

    [Fact]
    public async Task T19_settings_by_the_anon_key_change_one_row_and_two_columns()
    {
        using var app = system.App();
        var phone = await system.NewGuestAsync();
        ShippedApp.DecodeSettings((await app.SettingsAsync(phone.UserId.ToString().ToUpperInvariant(), "es", "light")).Json);
        Assert.Equal(["es|light"], await system.RowsAsync($"select language, theme_preference from users where id = '{phone.UserId}'"));
        Assert.Equal(HttpStatusCode.BadRequest, (await app.SettingsAsync(phone.UserId.ToString(), "xx", "light")).Status);
        var nobody = await app.SettingsAsync("guest-preview-id", "es", "light");
        Assert.Equal((HttpStatusCode.OK, "[]"), (nobody.Status, nobody.Text));
    }

    [Fact]
    public async Task T20_a_bad_token_on_a_file_is_a_real_401_or_403_also_for_an_upload()
    {
        using var http = system.Anybody();
        Assert.Equal(HttpStatusCode.Forbidden, (await http.GetAsync("/storage/v1/object/sign/videos/x/y.mp4?token=expired")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/storage/v1/object/authenticated/videos/x/y.mp4")).StatusCode);
        using var app = system.App();
        var phone = await system.NewGuestAsync();
        var refused = await app.UploadAsync(phone.UserId.ToString(), phone.AccessToken[..^4] + "AAAA", Pictures.Jpeg());
        Assert.True(refused.Response.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, refused.Response.Text);
    }

    [Fact]
    public async Task T21_the_folder_of_an_upload_is_the_users_id_or_one_that_was_merged_into_it()
    {
        using var app = system.App();
        var (owner, other) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        Assert.Equal(HttpStatusCode.OK, (await app.UploadAsync(owner.UserId.ToString(), owner.AccessToken, Pictures.Jpeg())).Response.Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await app.UploadAsync(owner.UserId.ToString(), other.AccessToken, Pictures.Jpeg())).Response.Status);
        var subject = "001." + Guid.NewGuid().ToString("N");
        await app.MergeAsync(other.UserId.ToString(), subject);
        await app.MergeAsync(owner.UserId.ToString(), subject);
        Assert.Equal(HttpStatusCode.OK, (await app.UploadAsync(owner.UserId.ToString(), owner.AccessToken, Pictures.Jpeg())).Response.Status);
    }

    [Fact]
    public async Task T22_a_picture_has_ten_megabytes_and_is_one()
    {
        using var app = system.App();
        var phone = await system.NewGuestAsync();
        var large = await app.UploadAsync(phone.UserId.ToString(), phone.AccessToken, Pictures.Jpeg(padding: 10 * 1024 * 1024));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.Response.Status);
        var text = await app.UploadAsync(phone.UserId.ToString(), phone.AccessToken, "no picture at all"u8.ToArray());
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.Response.Status);
    }

    [Fact]
    public async Task T23_models_have_an_etag_and_are_not_sent_twice()
    {
        using var app = system.App();
        var models = await app.ModelsAsync();
        ShippedApp.DecodeModels(models.Json);
        var etag = models.Raw.Headers.GetValues("ETag").Single();
        Assert.Matches("^\"[^\"]+\"$", etag);
        Assert.Equal(HttpStatusCode.NotModified, (await app.ModelsAsync(etag)).Status);
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
}
