using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Http;
using Reelbase.Simulators.Apple;
using Reelbase.Simulators.AppleId;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What Apple says in forms that nobody has seen yet, and clocks that do not agree.</summary>
public sealed class AppleWordsTests(TestSystem system) : IClassFixture<TestSystem>
{
    private const string Ours = """ "bundleId":"com.example.reelbase","appAppleId":1234567890 """;
    private const string Theirs = """ "bundleId":"com.example.other","appAppleId":1234567890 """;

    [Theory]
    [InlineData("a container of external purchases", "\"externalPurchaseToken\":{\"externalPurchaseId\":\"1\",\"tokenCreationDate\":1," + Ours + "}", 200)]
    [InlineData("a container of tomorrow", "\"tomorrow\":{\"bundleId\":\"com.example.other\"}", 200)]
    [InlineData("no container", "\"note\":null", 200)]
    [InlineData("data that says no more than the app", "\"data\":{\"bundleId\":\"com.example.reelbase\"}", 200)]
    [InlineData("data that is a list", "\"data\":[]", 200)]
    [InlineData("an environment of tomorrow", "\"data\":{\"environment\":\"Orbit\"," + Ours + "}", 200)]
    [InlineData("data of another app", "\"data\":{\"environment\":\"Production\"," + Theirs + "}", 401)]
    [InlineData("another app's number", "\"data\":{\"environment\":\"Production\",\"bundleId\":\"com.example.reelbase\",\"appAppleId\":1}", 401)]
    [InlineData("a summary of another app", "\"summary\":{" + Theirs + "}", 401)]
    [InlineData("app data of another app", "\"appData\":{" + Theirs + "}", 401)]
    [InlineData("external purchases of another app", "\"externalPurchaseToken\":{" + Theirs + "}", 401)]
    public async Task What_apple_signed_is_stored_unless_it_names_another_app(string what, string container, int status)
    {
        var id = Guid.NewGuid().ToString();
        var head = $$"""{"notificationType":"SOMETHING_NEW","notificationUUID":"{{id}}","signedDate":{{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}},""";
        Assert.True((int)(await NotifyAsync(head + container + "}")).StatusCode == status, what);
        Assert.Equal(status == 200 ? 1L : 0L, await system.QueryAsync<long>($"select count(*) from webhook_deliveries where event_id = '{id}'"));
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from webhook_deliveries where event_id = '{id}' and status <> 'processed'"),
            rows => rows == 0
        );
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"notificationUUID":7,"notificationType":["TEST"]}""")]
    [InlineData("""{"notificationUUID":"\u0000","notificationType":"\ud83d"}""")]
    public async Task What_names_itself_in_no_way_is_stored_once_all_the_same(string payload)
    {
        var before = await system.QueryAsync<long>("select count(*) from webhook_deliveries where event_type = 'UNKNOWN'");
        Assert.Equal(HttpStatusCode.OK, (await NotifyAsync(payload)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await NotifyAsync(payload)).StatusCode);
        Assert.Equal(before + 1, await system.QueryAsync<long>("select count(*) from webhook_deliveries where event_type = 'UNKNOWN'"));
    }

    [Fact]
    public async Task Json_of_apples_that_is_no_object_is_an_answer_that_could_not_be_had()
    {
        var phone = await system.NewGuestAsync();
        var apple = new Apple(system.Control);
        var (id, _) = await apple.BuyAsync(Apple.Pack25, phone.UserId);
        await using var fault = await system.FaultAsync("array", $"/transactions/{id}");
        var away = await phone.PostAsync("/update-credits", new { transaction_id = id });
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "ERR_6003"), (away.Status, away.Code));
        await fault.EndAsync();
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 35);
    }

    [Theory]
    [InlineData("no-list")]
    [InlineData("array")]
    public async Task A_list_that_cannot_be_read_raises_an_alert_and_what_it_hid_is_found_later(string kind)
    {
        var phone = await system.NewGuestAsync();
        var apple = new Apple(system.Control);
        var (_, signed) = await apple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        await system.ExecuteAsync("delete from alerts where kind = 'app_store_answer'");
        await using var fault = await system.FaultAsync(kind, "/notifications/history");
        // A purchase that only the buyer's own history knows.
        await apple.BuyAsync(Apple.Pack60, phone.UserId);
        await system.ExecuteAsync("select request_reconciliation()");
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from alerts where kind = 'app_store_answer'"), rows => rows > 0);
        await fault.EndAsync();
        await Eventually.IsAsync(
            async () =>
            {
                await system.ExecuteAsync("select request_reconciliation()");
                return await phone.CreditsAsync();
            },
            credits => credits == 95
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(90)]
    public async Task A_host_whose_clock_is_ahead_is_believed_by_every_service_of_apple(int seconds)
    {
        var services = system.Server.Services;
        var clients = services.GetRequiredService<IHttpClientFactory>();
        var clock = new Ahead(TimeSpan.FromSeconds(seconds));
        var phone = await system.NewGuestAsync();
        var (id, _) = await new Apple(system.Control).BuyAsync(Apple.Pack25, phone.UserId);
        using var store = new AppStoreClient(clients, Options<AppStoreOptions>(), new Listener(), clock, NullLogger<AppStoreClient>.Instance);
        Assert.IsType<AppStoreResponse.Found>(await store.FindTransactionAsync(id, acceptSandbox: true, CancellationToken.None));
        using var devices = new DeviceCheckClient(clients, Options<DeviceCheckOptions>(), clock);
        Assert.IsType<DeviceResponse.Bits>(await devices.QueryAsync(Phone.TokenOf(Guid.NewGuid().ToString()), CancellationToken.None));
        using var signIn = new AppleSignInClient(clients, Options<AppleSignInOptions>(), clock);
        var (_, code) = await new Apple(system.Control).SignInAsync("ahead." + Guid.NewGuid());
        Assert.IsType<AppleTokenResponse.Exchanged>(await signIn.ExchangeAsync(TestSystem.BundleId, code, CancellationToken.None));
        using var pushes = new ApnsClient(Options<ApnsOptions>(), clock, new OutsideSystems(clock));
        var push = new ApnsPush(
            Guid.NewGuid(),
            new string('a', 64),
            "production",
            false,
            "x",
            DateTimeOffset.UtcNow.AddHours(1),
            new { aps = new { alert = "x" } }
        );
        Assert.IsType<ApnsResponse.Taken>(await pushes.SendAsync(push, CancellationToken.None));
    }

    [Theory]
    [InlineData(3600, "clock", "ahead of")]
    [InlineData(-3600, "clock", "behind")]
    [InlineData(0, "key", "our clock is right")]
    public async Task A_refused_token_is_distinguished_by_clock_and_key(int seconds, string cause, string words)
    {
        var listener = new Listener();
        var options = Options<AppStoreOptions>().Value;
        var other = new AppStoreOptions
        {
            BundleId = options.BundleId,
            RootCertificateFile = options.RootCertificateFile,
            IssuerId = options.IssuerId,
            PrivateKey = options.PrivateKey,
            KeyId = seconds == 0 ? "WRONGKEYID" : options.KeyId,
            ProductionUrl = options.ProductionUrl,
            SandboxUrl = options.SandboxUrl,
        };
        using var store = new AppStoreClient(
            system.Server.Services.GetRequiredService<IHttpClientFactory>(),
            Microsoft.Extensions.Options.Options.Create(other),
            listener,
            new Ahead(TimeSpan.FromSeconds(seconds)),
            NullLogger<AppStoreClient>.Instance
        );
        Assert.IsType<AppStoreResponse.Unavailable>(await store.FindTransactionAsync("2000000900000001", acceptSandbox: true, CancellationToken.None));
        Assert.Equal(("Production", cause), (listener.Reports[0].Environment, listener.Reports[0].Cause));
        Assert.Contains(words, listener.Reports[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_identity_token_of_the_future_is_refused()
    {
        var phone = await system.NewGuestAsync();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var (future, _) = await new Apple(system.Control).SignInAsync("future." + Guid.NewGuid(), issuedAt: now + 3600);
        Assert.Equal("ERR_4005", (await phone.PostAsync("/merge-guest-user", new { id_token = future })).Code);
        var (soon, _) = await new Apple(system.Control).SignInAsync("future." + Guid.NewGuid(), issuedAt: now + 60);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/merge-guest-user", new { id_token = soon })).Status);
    }

    [Fact]
    public async Task A_nonces_hash_may_be_in_capitals()
    {
        var phone = await system.NewGuestAsync();
        const string raw = "a nonce of ours";
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(raw)));
        var (token, _) = await new Apple(system.Control).SignInAsync("capitals." + Guid.NewGuid(), nonce: hash);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/merge-guest-user", new { id_token = token, nonce = raw })).Status);
    }

    [Fact]
    public async Task An_account_event_may_come_as_a_field_of_a_form()
    {
        var subject = "form." + Guid.NewGuid();
        var phone = await system.NewGuestAsync();
        await phone.PostAsync("/merge-guest-user", new { id_token = (await new Apple(system.Control).SignInAsync(subject)).Token });
        var payload = system.Simulators.Services.GetRequiredService<AppleIdState>().Event("consent-revoked", subject, TestSystem.BundleId, asObject: false);
        using var http = system.Anybody();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["payload"] = payload });
        using var answer = await http.PostAsync("/apple-account-events", form);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Eventually.IsAsync(async () => (await phone.GetAsync("/get-user-credits")).Status, status => status == HttpStatusCode.Unauthorized);
        using var nothing = new StringContent("payload=a.b.c", new MediaTypeHeaderValue("application/x-www-form-urlencoded"));
        using var refused = await http.PostAsync("/apple-account-events", nothing);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    private async Task<HttpResponseMessage> NotifyAsync(string payload)
    {
        var signed = system.Simulators.Services.GetRequiredService<AppleAuthority>().Sign(Encoding.UTF8.GetBytes(payload));
        using var http = system.Anybody();
        return await http.PostAsJsonAsync("/apple-server-notifications", new { signedPayload = signed });
    }

    private IOptions<T> Options<T>()
        where T : class => system.Server.Services.GetRequiredService<IOptions<T>>();

    private sealed class Ahead(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }

    private sealed class Listener : IAppStoreHealthListener
    {
        public List<(string Environment, string Cause, string Message)> Reports { get; } = [];

        public Task ReportAsync(string environment, string cause, string message)
        {
            Reports.Add((environment, cause, message));
            return Task.CompletedTask;
        }
    }
}
