using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The auth API where no SDK goes: limits, hostile bodies, what metadata does in merges and deletions, and browsers.</summary>
public sealed class SupabaseAuthTests(SupabaseAuthTests.Limited system) : IClassFixture<SupabaseAuthTests.Limited>
{
    private const int SignUps = 5;

    /// <summary>Few sign-ups an address, and a web app.</summary>
    public sealed class Limited : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Supabase:AnonymousSignUpsPerWindow"] = SignUps.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ["Server:CorsOrigins:0"] = "https://app.example",
            };

        public string AnonKey => ((AccessTokens)Server.Services.GetService(typeof(AccessTokens))!).CreateAnonKey();
    }

    [Fact]
    public async Task Guests_of_the_sign_up_have_no_credits_and_an_address_makes_only_so_many()
    {
        var address = "198.51.100.7";
        var answers = await Task.WhenAll(Enumerable.Range(0, SignUps + 3).Select(_ => SendAsync(HttpMethod.Post, "/auth/v1/signup", "{}", address: address)));
        Assert.Equal(SignUps, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        var refused = answers.Where(answer => answer.Status != HttpStatusCode.OK).ToList();
        Assert.All(refused, answer => Assert.Equal(("over_request_rate_limit", HttpStatusCode.TooManyRequests), (answer["code"].GetString(), answer.Status)));
        Assert.True(refused[0].Raw.Headers.RetryAfter is not null);
        foreach (var guest in answers.Where(answer => answer.Status == HttpStatusCode.OK))
        {
            var id = guest["user"].GetProperty("id").GetGuid();
            Assert.Equal(
                ["0|0|False|True"],
                await system.RowsAsync($"select credits_remaining, credits_total, initial_grant_claimed, is_guest from users where id = '{id}'")
            );
        }
        // Others are not held up by it.
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Post, "/auth/v1/signup", "{}", address: "198.51.100.8")).Status);
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("""{"data":{"a":"\u0000"}}""", 200)]
    [InlineData("""{"data":{"a":1e999999}}""", 200)]
    [InlineData("""{"data":[1]}""", 400)]
    [InlineData("""{"data":"text"}""", 400)]
    [InlineData("""{"data":null}""", 200)]
    [InlineData("""{"data":{"sub":"x","role":"service_role","session_id":null}}""", 200)]
    [InlineData("""{"email":"a@example.com","password":"x"}""", 422)]
    [InlineData("""{"email":1}""", 400)]
    [InlineData("""[]""", 400)]
    [InlineData("""{"data":""", 400)]
    public async Task Whatever_is_sent_to_sign_up_or_keep_is_never_an_error_of_ours(string body, int status)
    {
        var answer = await SendAsync(HttpMethod.Post, "/auth/v1/signup", body, address: "203.0.113." + (body.Length % 200 + 1));
        Assert.True((int)answer.Status == status, $"{body}: {answer.Text}");
        if (status == 400)
        {
            Assert.Equal("validation_failed", answer["code"].GetString());
        }
        var phone = await system.NewGuestAsync();
        var kept = await SendAsync(HttpMethod.Put, "/auth/v1/user", body, phone.AccessToken);
        Assert.True((int)kept.Status == status, $"{body}: {kept.Text}");
        if (status == 200)
        {
            // Claims of the metadata are the metadata's and nothing else.
            var next = await SendAsync(
                HttpMethod.Post,
                "/auth/v1/token?grant_type=refresh_token",
                JsonSerializer.Serialize(new { refresh_token = phone.RefreshToken })
            );
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Get, "/auth/v1/user", null, next["access_token"].GetString())).Status);
            Assert.Equal(phone.UserId, next["user"].GetProperty("id").GetGuid());
        }
    }

    [Fact]
    public async Task Metadata_goes_with_the_account_into_a_merge_and_out_of_a_deletion()
    {
        var apple = new Apple(system.Control);
        var guest = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Put, "/auth/v1/user", """{"data":{"nickname":"Ada"}}""", guest.AccessToken)).Status);
        var subject = "001." + Guid.NewGuid().ToString("N");
        var member = await SendAsync(
            HttpMethod.Post,
            "/auth/v1/token?grant_type=id_token",
            JsonSerializer.Serialize(new { provider = "apple", id_token = (await apple.SignInAsync(subject, "first@example.com")).Token })
        );
        var merged = await guest.PostAsync("/merge-guest-user", new { id_token = (await apple.SignInAsync(subject)).Token });
        Assert.Equal(HttpStatusCode.OK, merged.Status);
        var session = merged["session"];
        Assert.Equal("Ada", session.GetProperty("user").GetProperty("user_metadata").GetProperty("nickname").GetString());
        Assert.Equal(member["user"].GetProperty("id").GetGuid(), session.GetProperty("user").GetProperty("id").GetGuid());
        Assert.Equal(HttpStatusCode.OK, (await guest.PostAsync("/delete-account", new { })).Status);
        Assert.Equal(0, await system.QueryAsync<long>("select count(*) from users where deleted_at is not null and user_metadata <> '{}'"));
        var gone = await SendAsync(HttpMethod.Get, "/auth/v1/user", null, session.GetProperty("access_token").GetString());
        Assert.Equal((HttpStatusCode.Forbidden, "user_not_found"), (gone.Status, gone["code"].GetString()));
    }

    [Fact]
    public async Task A_browser_may_send_the_sdks_headers_and_read_theirs()
    {
        using var http = system.Anybody();
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/auth/v1/user");
        preflight.Headers.Add("Origin", "https://app.example");
        preflight.Headers.Add("Access-Control-Request-Method", "PATCH");
        preflight.Headers.Add(
            "Access-Control-Request-Headers",
            "authorization, apikey, content-type, range, if-none-match, idempotency-key, x-client-info, x-supabase-api-version, accept-profile, content-profile, prefer, x-retry-count, x-upsert, cache-control, x-metadata, x-region"
        );
        using var allowed = await http.SendAsync(preflight);
        Assert.True(allowed.IsSuccessStatusCode);
        Assert.Contains("PATCH", allowed.Headers.GetValues("Access-Control-Allow-Methods").Single(), StringComparison.Ordinal);
        Assert.Contains("x-supabase-api-version", allowed.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.Ordinal);
        using var call = new HttpRequestMessage(HttpMethod.Get, "/auth/v1/health") { Headers = { { "Origin", "https://app.example" } } };
        using var answer = await http.SendAsync(call);
        var exposed = answer.Headers.GetValues("Access-Control-Expose-Headers").Single();
        Assert.All(
            new[] { "x-supabase-api-version", "x-relay-error", "Content-Range", "ETag", "Retry-After" },
            name => Assert.Contains(name, exposed, StringComparison.Ordinal)
        );
    }

    private async Task<ApiResponse> SendAsync(HttpMethod method, string path, string? body, string? token = null, string? address = null)
    {
        using var http = system.Anybody();
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("apikey", system.AnonKey);
        request.Headers.Add("x-supabase-api-version", "2024-01-01");
        if (address is not null)
        {
            request.Headers.Add("X-Forwarded-For", address);
        }
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        return await ApiResponse.ReadAsync(await http.SendAsync(request));
    }
}
