using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Fal;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>The two signature schemes of inbound events, against values made by others.</summary>
[Quick]
public sealed class SignatureTests
{
    private static readonly DateTimeOffset VectorTime = DateTimeOffset.FromUnixTimeSeconds(1_760_000_000);

    /// <summary>Made with the public test key of RFC 8032, section 7.1.</summary>
    private const string VectorKey = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    private const string VectorId = "11111111-2222-3333-4444-555555555555";
    private const string VectorBody =
        """{"request_id": "11111111-2222-3333-4444-555555555555", "gateway_request_id": "11111111-2222-3333-4444-555555555555", "status": "OK", "error": null, "payload": {"video": {"url": "https://cdn.example/v.mp4"}}}""";
    private const string VectorSignature =
        "678eb03ef824e489ec5dc5bf839de0d70caad6424a97e3588a73bbcec0c28d7ba773526022b7a744394131a599b832165d9aa4f82c716344993b148a9805b900";

    private sealed class At(DateTimeOffset time) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => time;
    }

    [Theory]
    [InlineData(0, null, null, true)]
    [InlineData(300, null, null, true)]
    [InlineData(-300, null, null, true)]
    [InlineData(301, null, null, false)]
    [InlineData(-301, null, null, false)]
    [InlineData(0, "X-Fal-Webhook-Request-Id", "11111111-2222-3333-4444-555555555556", false)]
    [InlineData(0, "X-Fal-Webhook-User-Id", "user_2", false)]
    [InlineData(0, "X-Fal-Webhook-Timestamp", "1760000001", false)]
    [InlineData(0, "X-Fal-Webhook-Timestamp", "1760000000.0", false)]
    [InlineData(0, "X-Fal-Webhook-Signature", "00", false)]
    [InlineData(0, "body", "{}", false)]
    public async Task Fals_vector_is_good_and_everything_beside_it_is_not(int secondsLate, string? change, string? to, bool isGood)
    {
        await using var keys = WebApplication.CreateBuilder().Build();
        keys.Urls.Add(TestSystem.AnyPort);
        keys.MapGet(
            "/jwks.json",
            () =>
                Results.Json(
                    new
                    {
                        keys = new[]
                        {
                            new
                            {
                                kty = "OKP",
                                crv = "Ed25519",
                                // Another one first: no key id is sent, so each is tried.
                                x = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
                            },
                            new
                            {
                                kty = "OKP",
                                crv = "Ed25519",
                                x = VectorKey,
                            },
                        },
                    }
                )
        );
        await keys.StartAsync();
        using var clients = new ServiceCollection().AddHttpClient().BuildServiceProvider();
        var options = Options.Create(new FalOptions { UserId = "user_1", JwksUrl = $"{TestSystem.AddressOf(keys)}/jwks.json" });
        var clock = new At(VectorTime.AddSeconds(secondsLate));
        using var store = new FalWebhookKeys(
            clients.GetRequiredService<IHttpClientFactory>(),
            options,
            clock,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<FalWebhookKeys>.Instance
        );
        var headers = new HeaderDictionary
        {
            ["X-Fal-Webhook-Request-Id"] = VectorId,
            ["X-Fal-Webhook-User-Id"] = "user_1",
            ["X-Fal-Webhook-Timestamp"] = "1760000000",
            ["X-Fal-Webhook-Signature"] = VectorSignature,
        };
        var body = VectorBody;
        if (change == "body")
        {
            body = to!;
        }
        else if (change is not null)
        {
            headers[change] = to;
        }
        var inbound = await new FalWebhooks(options, store, clock).VerifyAsync(headers, Encoding.UTF8.GetBytes(body), CancellationToken.None);
        Assert.Equal(isGood ? VectorId : null, (inbound as InboundEvent.Genuine)?.ProviderJobId);
    }

    /// <summary>The example of the Standard Webhooks specification.</summary>
    private const string StandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string StandardId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string StandardBody = """{"test": 2432232314}""";
    private const string StandardSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private const string OtherSecret = "whsec_b3RoZXItc2VjcmV0LW9mLXRoaXJ0eS10d28tYnl0ZXM=";

    [Theory]
    [InlineData(StandardSignature, StandardBody, 0, true)]
    [InlineData("v1,AAAA " + StandardSignature, StandardBody, 0, true)]
    [InlineData("v1a,xyz " + StandardSignature, StandardBody, 0, true)]
    [InlineData(StandardSignature, StandardBody, 300, true)]
    [InlineData(StandardSignature, StandardBody, 301, false)]
    [InlineData(StandardSignature, StandardBody, -301, false)]
    [InlineData(StandardSignature, """{"test":2432232314}""", 0, false)]
    [InlineData("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", StandardBody, 0, false)]
    [InlineData("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", StandardBody, 0, false)]
    [InlineData("v1,", StandardBody, 0, false)]
    [InlineData("", StandardBody, 0, false)]
    public void The_standard_example_is_good_and_everything_beside_it_is_not(string signature, string body, int secondsLate, bool isGood)
    {
        var headers = new HeaderDictionary
        {
            ["webhook-id"] = StandardId,
            ["webhook-timestamp"] = "1614265330",
            ["webhook-signature"] = signature,
        };
        var now = DateTimeOffset.FromUnixTimeSeconds(1_614_265_330 + secondsLate);
        // While one secret replaces another both are good.
        Assert.Equal(isGood ? StandardId : null, StandardWebhooks.Verify(headers, Encoding.UTF8.GetBytes(body), [OtherSecret, StandardSecret], now));
        Assert.Equal(isGood ? StandardId : null, StandardWebhooks.Verify(headers, Encoding.UTF8.GetBytes(body), [StandardSecret], now));
        Assert.Null(StandardWebhooks.Verify(headers, Encoding.UTF8.GetBytes(body), [OtherSecret], now));
        Assert.Null(StandardWebhooks.Verify(headers, Encoding.UTF8.GetBytes(body), [], now));
    }
}
