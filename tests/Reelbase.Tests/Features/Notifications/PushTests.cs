using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A finished video rings the phone, and nothing that Apple says to a push ever holds up a job.</summary>
[Collection(SharedProduct.Name)]
public sealed class PushTests(TestSystem system)
{
    private static string NewToken() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    [Fact]
    public async Task A_completed_and_a_failed_video_each_ring_the_phone_once()
    {
        var (phone, token) = await RegisteredAsync();
        var done = await phone.GenerateAndWatchAsync("Rings");
        // Two that are due together are sent in any order.
        await Eventually.IsAsync(() => system.PretendApple.PushesAsync(token), all => all.Count == 1);
        await system.ExecuteAsync($"select add_credits('{phone.UserId}', 20, 'admin_adjustment')");
        var failed = await phone.GenerateAndWatchAsync("Rings too [reject]");
        var pushes = await Eventually.IsAsync(() => system.PretendApple.PushesAsync(token), all => all.Count == 2);
        foreach (var (push, job, key) in new[] { (pushes[0], done, "VIDEO_COMPLETED"), (pushes[1], failed, "VIDEO_FAILED") })
        {
            var payload = push.GetProperty("payload");
            var alert = payload.GetProperty("aps").GetProperty("alert");
            Assert.Equal(key + "_TITLE", alert.GetProperty("title-loc-key").GetString());
            Assert.Equal(key + "_BODY", alert.GetProperty("loc-key").GetString());
            Assert.Equal("Veo 3.1 Fast", alert.GetProperty("loc-args")[0].GetString());
            Assert.Equal(job.GetProperty("job_id").GetString(), payload.GetProperty("job_id").GetString());
            Assert.Equal(job.GetProperty("status").GetString(), payload.GetProperty("status").GetString());
            Assert.Equal("HTTP/2", push.GetProperty("protocol").GetString());
            var headers = push.GetProperty("headers");
            Assert.Equal(TestSystem.BundleId, headers.GetProperty("apns-topic").GetString());
            Assert.Equal("alert", headers.GetProperty("apns-push-type").GetString());
            Assert.Equal("10", headers.GetProperty("apns-priority").GetString());
            Assert.Equal(job.GetProperty("job_id").GetString(), headers.GetProperty("apns-collapse-id").GetString());
        }
    }

    [Fact]
    public async Task Each_environment_has_a_key_of_its_own_where_apple_gave_one()
    {
        using var production = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var sandbox = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (productionId, sandboxId) = (RandomNumberGenerator.GetHexString(10), RandomNumberGenerator.GetHexString(10));
        foreach (var (id, environment, key) in new[] { (productionId, "production", production), (sandboxId, "sandbox", sandbox) })
        {
            using var answer = await system.Control.PostAsJsonAsync(
                "/_control/apns/keys",
                new
                {
                    id,
                    environment,
                    key = key.ExportSubjectPublicKeyInfoPem(),
                }
            );
            answer.EnsureSuccessStatusCode();
        }
        var settings = system.Server.Services.GetRequiredService<IOptions<ApnsOptions>>().Value;
        var options = new ApnsOptions
        {
            ProductionUrl = settings.ProductionUrl,
            SandboxUrl = settings.SandboxUrl,
            Topic = settings.Topic,
            TeamId = settings.TeamId,
            TimeoutSeconds = 60,
            KeyId = productionId,
            PrivateKey = production.ExportPkcs8PrivateKeyPem(),
        };
        using (var one = new ApnsClient(Options.Create(options), TimeProvider.System, new OutsideSystems(TimeProvider.System)))
        {
            Assert.IsType<ApnsResponse.Taken>(await one.SendAsync(Push("production"), CancellationToken.None));
            var refused = Assert.IsType<ApnsResponse.Refused>(await one.SendAsync(Push("sandbox"), CancellationToken.None));
            Assert.Equal(("BadEnvironmentKeyIdInToken", true), (refused.Reason, refused.IsOurSetup));
        }
        (options.SandboxKeyId, options.SandboxPrivateKey) = (sandboxId, sandbox.ExportPkcs8PrivateKeyPem());
        using var both = new ApnsClient(Options.Create(options), TimeProvider.System, new OutsideSystems(TimeProvider.System));
        foreach (var environment in new[] { "sandbox", "production", "sandbox" })
        {
            Assert.IsType<ApnsResponse.Taken>(await both.SendAsync(Push(environment), CancellationToken.None));
        }
        // Half a key is found at the start.
        options.SandboxPrivateKey = null;
        Assert.Equal(["SandboxPrivateKeyFile"], options.Validate(new(options)).SelectMany(result => result.MemberNames));

        static ApnsPush Push(string environment) =>
            new(Guid.NewGuid(), NewToken(), environment, false, "one", DateTimeOffset.UtcNow.AddHours(1), new { aps = new { alert = "x" } });
    }

    [Fact]
    public async Task Every_key_has_its_words_in_the_three_languages()
    {
        foreach (var language in new[] { "en", "tr", "es" })
        {
            var text = await File.ReadAllTextAsync(
                Path.Combine(Repository.Root, $"src/Reelbase.Server/Features/Notifications/Push/strings/{language}.lproj/Localizable.strings")
            );
            foreach (var key in new[] { "VIDEO_COMPLETED_TITLE", "VIDEO_COMPLETED_BODY", "VIDEO_FAILED_TITLE", "VIDEO_FAILED_BODY" })
            {
                Assert.Matches($"(?m)^\"{key}\" = \".+\";$", text);
            }
            Assert.Equal(2, text.Split("%@").Length - 1);
        }
    }

    [Theory]
    [InlineData(410, "Unregistered")]
    [InlineData(410, "ExpiredToken")]
    [InlineData(400, "BadDeviceToken")]
    public async Task A_token_that_is_nobodys_any_more_is_removed(int status, string reason)
    {
        var (phone, token) = await RegisteredAsync();
        await system.PretendApple.RespondToPushesAsync(token, status, reason);
        var video = await phone.GenerateAndWatchAsync("Nobody hears");
        Assert.Equal("completed", video.GetProperty("status").GetString());
        await Eventually.IsAsync(() => TokensAsync(token), rows => rows == 0);
        Assert.Equal("gone", await system.QueryAsync<string>($"select status from push_notifications where token = '{token}'"));
    }

    [Fact]
    public async Task A_token_that_was_registered_anew_after_apple_let_it_go_is_kept()
    {
        var (phone, token) = await RegisteredAsync();
        await system.PretendApple.RespondToPushesAsync(token, 410, timestamp: DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeMilliseconds());
        await phone.GenerateAndWatchAsync("An old word of Apple");
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select coalesce(max(status), '') from push_notifications where token = '{token}'"),
            status => status == "gone"
        );
        Assert.Equal(1L, await TokensAsync(token));
    }

    [Fact]
    public async Task A_token_of_the_other_kind_of_build_is_found_there_and_remembered()
    {
        var (phone, token) = await RegisteredAsync();
        await system.PretendApple.RespondToPushesAsync(token, 200, environment: "sandbox");
        await phone.GenerateAndWatchAsync("Made with Xcode");
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select environment from push_tokens where token = '{token}'"),
            environment => environment == "sandbox"
        );
        Assert.Equal(["production", "sandbox"], (await system.PretendApple.PushesAsync(token)).Select(push => push.GetProperty("environment").GetString()));
    }

    [Theory]
    [InlineData(503, "ServiceUnavailable")]
    [InlineData(500, "InternalServerError")]
    [InlineData(429, "TooManyRequests")]
    public async Task Apples_trouble_puts_the_push_off_and_keeps_the_token(int status, string reason)
    {
        var (phone, token) = await RegisteredAsync();
        await system.PretendApple.RespondToPushesAsync(token, status, reason, times: 1);
        await phone.GenerateAndWatchAsync("Later");
        var seconds = await Eventually.IsAsync(
            () =>
                system.QueryAsync<double>(
                    $"select coalesce(max(extract(epoch from run_after - now())), 0)::float8 from push_notifications where token = '{token}' and last_error = '{reason}'"
                ),
            wait => wait > 0
        );
        // As Apple asks: a quarter of an hour for its own trouble, less for one phone that gets too many.
        Assert.InRange(seconds, status == 429 ? 15 : 600, status == 429 ? 60 : 1200);
        await system.ExecuteAsync($"update push_notifications set run_after = now() where token = '{token}'");
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select status from push_notifications where token = '{token}'"), state => state == "sent");
        Assert.Equal(1L, await TokensAsync(token));
    }

    [Fact]
    public async Task Our_own_wrong_setup_alerts_and_removes_no_token()
    {
        var (phone, token) = await RegisteredAsync();
        await system.PretendApple.RespondToPushesAsync(token, 400, "DeviceTokenNotForTopic");
        await phone.GenerateAndWatchAsync("Our fault");
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from alerts where kind = 'push_setup'"), rows => rows > 0);
        Assert.Equal(1L, await TokensAsync(token));
    }

    [Fact]
    public async Task Apple_away_means_the_push_comes_later_and_the_job_ends_in_time()
    {
        var (phone, token) = await RegisteredAsync();
        await using var outage = await system.OutageAsync("apns", "drop");
        Assert.Equal("completed", (await phone.GenerateAndWatchAsync("Apple is away")).GetProperty("status").GetString());
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from push_notifications where token = '{token}' and last_error is not null"),
            rows => rows == 1
        );
        await outage.EndAsync();
        await system.ExecuteAsync($"update push_notifications set run_after = now() + interval '1 second' where token = '{token}' and status = 'pending'");
        Assert.Single(await Eventually.IsAsync(() => system.PretendApple.PushesAsync(token), all => all.Count > 0));
    }

    [Fact]
    public async Task Tokens_belong_to_whoever_registered_last_and_can_be_taken_back()
    {
        var (first, token) = await RegisteredAsync();
        var second = await system.NewGuestAsync();
        Assert.Equal(
            HttpStatusCode.OK,
            (await second.PostAsync("/register-push-token", new { token = token.ToUpperInvariant(), environment = "sandbox" })).Status
        );
        Assert.Equal(second.UserId, await system.QueryAsync<Guid>($"select user_id from push_tokens where token = '{token}'"));
        // Somebody else's is not theirs to remove.
        await ApiResponse.ReadAsync(await first.Http.DeleteAsync($"/register-push-token?token={token}"));
        Assert.Equal(1L, await TokensAsync(token));
        Assert.Equal(HttpStatusCode.OK, (await second.Http.DeleteAsync($"/register-push-token?token={token}")).StatusCode);
        Assert.Equal(0L, await TokensAsync(token));
        for (var count = 0; count < 22; count++)
        {
            await second.PostAsync("/register-push-token", new { token = NewToken() });
        }
        Assert.Equal(20L, await system.QueryAsync<long>($"select count(*) from push_tokens where user_id = '{second.UserId}'"));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"token":""}""")]
    [InlineData("""{"token":"zz"}""")]
    [InlineData("""{"token":"../../3/device/aa"}""")]
    [InlineData("""{"token":"0f744707bebcf74f9b7c25d48e335894","environment":"staging"}""")]
    [InlineData("""{"token":"0f744707bebcf74f9b7c25d48e335894","kind":"voip"}""")]
    public async Task What_is_no_token_is_refused(string body) =>
        Assert.Equal("ERR_4000", (await (await system.NewGuestAsync()).PostTextAsync("/register-push-token", body)).Code);

    [Fact]
    public async Task A_deleted_job_rings_nobody_and_a_background_token_shows_nothing()
    {
        var phone = await system.NewGuestAsync();
        var token = NewToken();
        await phone.PostAsync("/register-push-token", new { token, kind = "background" });
        var job = (await phone.GenerateAsync("Deleted [slow 600]"))["job_id"].GetString();
        await phone.PostAsync("/delete-video-job", new { job_id = job });
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"), stage => stage == "finished");
        await system.ExecuteAsync($"select add_credits('{phone.UserId}', 20, 'admin_adjustment')");
        await phone.GenerateAndWatchAsync("Woken");
        var push = Assert.Single(await Eventually.IsAsync(() => system.PretendApple.PushesAsync(token), all => all.Count > 0));
        Assert.Equal("""{"content-available":1}""", JsonSerializer.Serialize(push.GetProperty("payload").GetProperty("aps")));
        Assert.Equal("5", push.GetProperty("headers").GetProperty("apns-priority").GetString());
    }

    private async Task<(Phone Phone, string Token)> RegisteredAsync()
    {
        var phone = await system.NewGuestAsync();
        var token = NewToken();
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/register-push-token", new { token })).Status);
        return (phone, token);
    }

    private Task<long> TokensAsync(string token) => system.QueryAsync<long>($"select count(*) from push_tokens where token = '{token}'");
}
