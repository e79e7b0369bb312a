using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Access tokens, rotating refresh tokens, signing out.</summary>
[Collection(SharedProduct.Name)]
public sealed class SessionTests(TestSystem system)
{
    [Fact]
    public async Task A_refresh_rotates_and_the_new_pair_works()
    {
        var phone = await system.NewGuestAsync();
        var next = await RefreshAsync(phone.RefreshToken);
        Assert.Equal(HttpStatusCode.OK, next.Status);
        Assert.NotEqual(phone.RefreshToken, next["refresh_token"].GetString());
        Assert.Equal(phone.UserId, next["user"].GetProperty("id").GetGuid());
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/get-user-credits", next["access_token"].GetString())).StatusCode);
    }

    [Fact]
    public async Task The_direct_predecessor_gets_the_current_token_again()
    {
        var phone = await system.NewGuestAsync();
        var lost = await RefreshAsync(phone.RefreshToken);
        var again = await RefreshAsync(phone.RefreshToken);
        Assert.Equal(lost["refresh_token"].GetString(), again["refresh_token"].GetString());
    }

    [Fact]
    public async Task Parallel_refreshes_with_one_token_all_succeed_and_converge()
    {
        var phone = await system.NewGuestAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => RefreshAsync(phone.RefreshToken)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Select(answer => answer["refresh_token"].GetString()).Distinct());
    }

    [Fact]
    public async Task An_older_token_outside_the_window_revokes_the_session()
    {
        var phone = await system.NewGuestAsync();
        var second = await RefreshAsync(phone.RefreshToken);
        var third = await RefreshAsync(second["refresh_token"].GetString()!);
        // However long this test stands still: the window has not passed.
        await system.ExecuteAsync($"update sessions set refreshed_at = now() + interval '1 hour' where user_id = '{phone.UserId}'");
        Assert.Equal(HttpStatusCode.OK, (await RefreshAsync(phone.RefreshToken)).Status);
        await system.ExecuteAsync($"update sessions set refreshed_at = now() - interval '11 seconds' where user_id = '{phone.UserId}'");
        var stolen = await RefreshAsync(phone.RefreshToken);
        Assert.Equal(HttpStatusCode.BadRequest, stolen.Status);
        Assert.Equal("refresh_token_already_used", stolen["error_code"].GetString());
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(third["refresh_token"].GetString()!)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("/get-user-credits", third["access_token"].GetString())).StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("an-old-opaque-token-of-somewhere")]
    public async Task An_unknown_token_is_refused_with_400_and_never_429(string token) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(token)).Status);

    [Fact]
    public async Task Tokens_are_stored_as_hashes_only()
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal(
            0,
            await system.QueryAsync<long>(
                $"select count(*) from refresh_tokens t where encode(t.token_hash, 'escape') like '%{phone.RefreshToken[..12]}%' or t::text like '%{phone.RefreshToken}%'"
            )
        );
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from refresh_tokens where token_hash = sha256('{phone.RefreshToken}')"));
    }

    [Fact]
    public async Task An_access_token_is_ES256_with_the_claims_that_clients_read_and_its_key_is_published()
    {
        var phone = await system.NewGuestAsync();
        var parts = phone.AccessToken.Split('.');
        var header = Decode(parts[0]);
        var claims = Decode(parts[1]);
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        using var http = system.Anybody();
        var keys = await http.GetFromJsonAsync<JsonElement>("/auth/v1/.well-known/jwks.json");
        Assert.Contains(
            keys.GetProperty("keys").EnumerateArray(),
            key =>
                key.GetProperty("kid").GetString() == header.GetProperty("kid").GetString()
                && key.GetProperty("crv").GetString() == "P-256"
                && !key.TryGetProperty("d", out _)
        );
        Assert.Equal(phone.UserId.ToString(), claims.GetProperty("sub").GetString());
        Assert.Equal("authenticated", claims.GetProperty("role").GetString());
        Assert.Equal("authenticated", claims.GetProperty("aud").GetString());
        Assert.True(claims.GetProperty("is_anonymous").GetBoolean());
        Assert.Equal(3600, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
        Assert.Equal($"{system.Url}/auth/v1", claims.GetProperty("iss").GetString());
    }

    [Fact]
    public async Task A_changed_token_an_unsigned_one_and_one_of_another_key_are_refused()
    {
        var phone = await system.NewGuestAsync();
        var parts = phone.AccessToken.Split('.');
        var claims = Encoding.UTF8.GetString(Convert.FromBase64String(Pad(parts[1])));
        var other = Encode(claims.Replace(phone.UserId.ToString(), Guid.NewGuid().ToString(), StringComparison.Ordinal));
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var foreign = Convert
            .ToBase64String(key.SignData(Encoding.UTF8.GetBytes($"{parts[0]}.{parts[1]}"), System.Security.Cryptography.HashAlgorithmName.SHA256))
            .TrimEnd('=')
            .Replace('+', '-')
            .Replace('/', '_');
        foreach (
            var token in new[]
            {
                $"{parts[0]}.{other}.{parts[2]}",
                $"{Encode("""{"alg":"none"}""")}.{parts[1]}.",
                $"{parts[0]}.{parts[1]}.{foreign}",
                "garbage",
                "a.b.c",
                new string('x', 20_000),
            }
        )
        {
            using var answer = await GetAsync("/get-user-credits", token);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task An_expired_token_is_refused()
    {
        var phone = await system.NewGuestAsync();
        var keys = (Keys)system.Server.Services.GetService(typeof(Keys))!;
        var session = await system.QueryAsync<Guid>($"select id from sessions where user_id = '{phone.UserId}'");
        using var yesterday = new AccessTokens(
            keys,
            Options.Create(new SecurityOptions()),
            Options.Create(new ServerOptions()),
            new Clock(TimeSpan.FromSeconds(-3601))
        );
        using var expired = await GetAsync("/get-user-credits", yesterday.Create(new(phone.UserId, session, "anonymous", true, null)).Token);
        Assert.Equal(HttpStatusCode.Unauthorized, expired.StatusCode);
        using var justNow = new AccessTokens(
            keys,
            Options.Create(new SecurityOptions()),
            Options.Create(new ServerOptions()),
            new Clock(TimeSpan.FromSeconds(-3500))
        );
        using var good = await GetAsync("/get-user-credits", justNow.Create(new(phone.UserId, session, "anonymous", true, null)).Token);
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
    }

    [Fact]
    public async Task The_user_answer_has_the_shape_that_clients_read()
    {
        var phone = await system.NewGuestAsync();
        var user = await phone.GetAsync("/auth/v1/user");
        Assert.Equal(phone.UserId, user["id"].GetGuid());
        Assert.Equal("authenticated", user["aud"].GetString());
        Assert.True(user["is_anonymous"].GetBoolean());
        foreach (var name in new[] { "app_metadata", "user_metadata", "identities", "created_at", "updated_at", "email", "phone", "role" })
        {
            Assert.NotEqual(JsonValueKind.Null, user[name].ValueKind);
        }
    }

    [Theory]
    [InlineData("local", true, false)]
    [InlineData("global", false, false)]
    [InlineData("others", false, true)]
    public async Task Signing_out_ends_what_it_says_and_takes_effect_at_once(string scope, bool otherLives, bool thisLives)
    {
        var here = await system.NewGuestAsync();
        var there = await Phone.OnboardAsync(system.Url, here.DeviceId);
        var answer = await here.PostAsync($"/auth/v1/logout?scope={scope}", new { });
        Assert.Equal(HttpStatusCode.NoContent, answer.Status);
        Assert.Equal(thisLives, (await here.GetAsync("/get-user-credits")).Status == HttpStatusCode.OK);
        Assert.Equal(otherLives, (await there.GetAsync("/get-user-credits")).Status == HttpStatusCode.OK);
        Assert.Equal(thisLives, (await RefreshAsync(here.RefreshToken)).Status == HttpStatusCode.OK);
    }

    [Fact]
    public async Task With_the_database_away_a_refresh_answers_503_so_that_nobody_is_signed_out()
    {
        await using var alone = new TestSystem();
        await alone.InitializeAsync();
        var phone = await alone.NewGuestAsync();
        // connlimit stops new sessions, terminate ends the old ones.
        await alone.ExecuteAsync(
            "do $$ begin execute format('alter database %I connection limit 0', current_database()); perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid(); end $$"
        );
        using var http = alone.Anybody();
        using var answer = await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = phone.RefreshToken });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        var credits = await phone.GetAsync("/get-user-credits");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, credits.Status);
        Assert.Equal("ERR_6001", credits.Code);
        await alone.ExecuteAsync("do $$ begin execute format('alter database %I connection limit -1', current_database()); end $$");
        await Eventually.IsAsync(async () => (await phone.GetAsync("/get-user-credits")).Status, status => status == HttpStatusCode.OK);
    }

    private async Task<ApiResponse> RefreshAsync(string token)
    {
        using var http = system.Anybody();
        return await ApiResponse.ReadAsync(await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = token }));
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string? token)
    {
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await http.GetAsync(path);
    }

    private static JsonElement Decode(string part) => JsonDocument.Parse(Convert.FromBase64String(Pad(part))).RootElement;

    private static string Pad(string part) => part.Replace('-', '+').Replace('_', '/').PadRight((part.Length + 3) / 4 * 4, '=');

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>A clock that goes wrong by a fixed amount.</summary>
    private sealed class Clock(TimeSpan offset) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + offset;
    }
}
