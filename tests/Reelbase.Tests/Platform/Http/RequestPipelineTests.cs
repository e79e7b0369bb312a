using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What stands before the features: the gate against floods, browsers of other origins, keys that are changed.</summary>
public sealed class RequestPipelineTests(TestSystem system) : IClassFixture<TestSystem>
{
    [Fact]
    public async Task A_flood_from_one_address_is_stopped_before_the_database_and_its_neighbours_are_not()
    {
        await using var node = system.BuildServer(new() { ["Flood:RequestsPerSecond"] = "1", ["Flood:BurstRequests"] = "20" });
        await node.StartAsync();
        var url = TestSystem.AddressOf(node);
        using var http = new HttpClient { BaseAddress = new Uri(url) };
        async Task<HttpResponseMessage> AskAsync(string path, string address, string language = "tr")
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-Forwarded-For", address);
            request.Headers.AcceptLanguage.ParseAdd(language);
            return await http.SendAsync(request);
        }
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => AskAsync("/get-models", "203.0.113.5")));
        Assert.InRange(answers.Count(answer => answer.StatusCode == HttpStatusCode.OK), 20, 60);
        var refused = answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        var error = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement.GetProperty("error");
        Assert.Equal("ERR_4004", error.GetProperty("code").GetString());
        Assert.Equal("Çok fazla istek gönderildi. Lütfen 1 saniye sonra tekrar deneyin.", error.GetProperty("message").GetString());
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        // A neighbour, and an address of another IPv6 network; one of the same network is the same.
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("/get-models", "203.0.113.6")).StatusCode);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => AskAsync("/get-models", $"2001:db8:5:5::{number + 1:x}")));
        // A place comes back each second, and is one of them all.
        var same = await Task.WhenAll(Enumerable.Range(1, 60).Select(number => AskAsync("/get-models", $"2001:db8:5:5:ffff::{number}")));
        Assert.Contains(same, answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("/get-models", "2001:db8:5:6::1")).StatusCode);
        // These are never refused by it: a phone that hears no three times is bricked or signed out.
        for (var count = 0; count < 50; count++)
        {
            using var answer = await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = "not one of ours at all" });
            Assert.NotEqual(HttpStatusCode.TooManyRequests, answer.StatusCode);
        }
        await node.StopAsync();
    }

    [Fact]
    public async Task Browsers_of_configured_origins_may_call_and_no_others()
    {
        await using var node = system.BuildServer(new() { ["Server:CorsOrigins:0"] = "https://app.example" });
        await node.StartAsync();
        var url = TestSystem.AddressOf(node);
        var allowed = await PreflightAsync(url, "https://app.example");
        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal("https://app.example", Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.False(allowed.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.False((await PreflightAsync(url, "https://evil.example")).Headers.Contains("Access-Control-Allow-Origin"));
        await node.StopAsync();
    }

    [Theory]
    [InlineData("Development", true)]
    [InlineData("Staging", false)]
    [InlineData("Production", false)]
    public async Task Without_a_list_browsers_of_any_origin_may_call_in_development_and_of_none_elsewhere(string environment, bool mayCall)
    {
        await using var node = system.BuildServer(environment: environment);
        await node.StartAsync();
        var answer = await PreflightAsync(TestSystem.AddressOf(node), "http://localhost:3000");
        Assert.Equal(mayCall ? ["*"] : [], answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var origins) ? origins : []);
        // What a browser holds of the console's is never sent along.
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        await node.StopAsync();
    }

    private static async Task<HttpResponseMessage> PreflightAsync(string server, string origin)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Options, server + "/generate-video");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,idempotency-key,content-type");
        return await http.SendAsync(request);
    }

    [Fact]
    public async Task The_signing_key_is_changed_and_nobody_is_signed_out()
    {
        static string NewKey(out string publicPart)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            publicPart = key.ExportSubjectPublicKeyInfoPem();
            return key.ExportPkcs8PrivateKeyPem();
        }
        var secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var oldKey = NewKey(out var oldPublic);
        var newKey = NewKey(out _);
        await using var own = new TestSystem();
        await own.InitializeAsync();
        await own.RestartServerAsync(new() { ["Security:SigningKey"] = oldKey, ["Security:TokenSecret"] = secret });
        var phone = await own.NewGuestAsync();
        await own.RestartServerAsync(
            new()
            {
                ["Security:SigningKey"] = newKey,
                ["Security:TokenSecret"] = secret,
                ["Security:PreviousPublicKeys:0"] = oldPublic,
            }
        );
        // The token that the phone has, and the next one, signed by the new key.
        Assert.Equal(10, await phone.CreditsAsync());
        using var http = own.Anybody();
        using var answer = await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = phone.RefreshToken });
        var token = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!;
        static string Kid(string token) =>
            JsonDocument.Parse(Microsoft.IdentityModel.Tokens.Base64UrlEncoder.Decode(token.Split('.')[0])).RootElement.GetProperty("kid").GetString()!;
        Assert.NotEqual(Kid(phone.AccessToken), Kid(token));
        phone.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        Assert.Equal(10, await phone.CreditsAsync());
        var published = (await http.GetFromJsonAsync<JsonElement>("/auth/v1/.well-known/jwks.json"))
            .GetProperty("keys")
            .EnumerateArray()
            .Select(key => key.GetProperty("kid").GetString());
        Assert.Equal([Kid(token), Kid(phone.AccessToken)], published);
        // Once the old key is taken away its tokens are worth nothing.
        await own.RestartServerAsync(new() { ["Security:SigningKey"] = newKey, ["Security:TokenSecret"] = secret });
        Assert.Equal(10, await phone.CreditsAsync());
        phone.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", phone.AccessToken);
        Assert.Equal("ERR_4005", (await phone.GetAsync("/get-user-credits")).Code);
    }
}
