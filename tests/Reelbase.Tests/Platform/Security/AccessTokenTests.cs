using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What stands in a token of ours, and which tokens speak for whom.</summary>
[Quick]
public sealed class AccessTokenTests
{
    private const string FormerSecret = "the secret of a project that the app came from, long enough for each of the algorithms";

    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly Keys _keys = SigningKeys.Load(SigningKeys.New());
    private readonly Clock _clock = new();

    [Fact]
    public void A_guests_token_has_the_claims_that_supabases_clients_expect()
    {
        using var tokens = Tokens();
        var subject = new TokenSubject(Guid.NewGuid(), Guid.NewGuid(), "anonymous", true, null);
        var (token, expiresAt) = tokens.Create(subject);
        var now = _clock.Now.ToUnixTimeSeconds();
        Assert.Equal(now + 3600, expiresAt);
        Assert.Equal(3600, tokens.LifeSeconds);
        Assert.Equal(
            $$$"""{"iss":"https://api.example.com/auth/v1","sub":"{{{subject.UserId}}}","aud":"authenticated","role":"authenticated","iat":{{{now}}},"exp":{{{now
                + 3600}}},"session_id":"{{{subject.SessionId}}}","aal":"aal1","amr":[{"method":"anonymous","timestamp":{{{now}}}}],"is_anonymous":true,"email":"","phone":"","app_metadata":{},"user_metadata":{}}""",
            PayloadOf(token)
        );
    }

    [Fact]
    public void A_members_token_says_how_they_signed_in_and_what_the_app_keeps()
    {
        using var tokens = Tokens(server: new ServerOptions());
        var metadata = JsonDocument.Parse("""{"name":"Ada"}""").RootElement;
        using var payload = JsonDocument.Parse(
            PayloadOf(tokens.Create(new(Guid.NewGuid(), Guid.NewGuid(), "oauth", false, "ada@example.com", metadata)).Token)
        );
        var claims = payload.RootElement;
        Assert.Equal("http://localhost/auth/v1", claims.GetProperty("iss").GetString());
        Assert.False(claims.GetProperty("is_anonymous").GetBoolean());
        Assert.Equal("ada@example.com", claims.GetProperty("email").GetString());
        Assert.Equal("""{"provider":"apple","providers":["apple"]}""", claims.GetProperty("app_metadata").GetRawText());
        Assert.Equal("""{"name":"Ada"}""", claims.GetProperty("user_metadata").GetRawText());
        Assert.Equal("oauth", claims.GetProperty("amr")[0].GetProperty("method").GetString());
    }

    [Fact]
    public async Task A_users_token_speaks_for_that_user_with_its_claims()
    {
        using var tokens = Tokens();
        var subject = new TokenSubject(Guid.NewGuid(), Guid.NewGuid(), "anonymous", true, null);
        var (token, _) = tokens.Create(subject);
        var caller = await tokens.ReadAsync(token);
        Assert.Equal(("authenticated", subject.UserId, subject.SessionId), (caller!.Role, caller.UserId!.Value, caller.SessionId!.Value));
        Assert.Equal(PayloadOf(token), caller.Claims);
    }

    [Fact]
    public async Task An_anon_key_is_anybodys_for_ten_years_and_a_service_key_is_no_user()
    {
        using var tokens = Tokens();
        var (anon, service) = (tokens.CreateAnonKey(), tokens.CreateServiceKey());
        var now = _clock.Now;
        Assert.Equal(
            $$"""{"iss":"https://api.example.com/auth/v1","role":"anon","iat":{{now.ToUnixTimeSeconds()}},"exp":{{now.AddYears(10).ToUnixTimeSeconds()}}}""",
            PayloadOf(anon)
        );
        Assert.Same(Caller.Anonymous, await tokens.ReadAsync(anon));
        Assert.Null(await tokens.ReadAsync(service));
        Assert.Equal(new TokenReading(Caller.Service, false), await tokens.ReadKeyAsync(service));
        // Once more, from memory.
        Assert.Equal(new TokenReading(Caller.Service, false), await tokens.ReadKeyAsync(service));
        Assert.Equal(2, tokens.Remembered);
    }

    [Fact]
    public async Task A_token_is_good_until_its_last_second_and_then_said_to_have_ended()
    {
        using var maker = Tokens();
        var (token, expiresAt) = maker.Create(new(Guid.NewGuid(), Guid.NewGuid(), "anonymous", true, null));
        _clock.Now = DateTimeOffset.FromUnixTimeSeconds(expiresAt - 1);
        using var before = Tokens();
        Assert.False((await before.ReadKeyAsync(token)).HasExpired);
        Assert.NotNull(await before.ReadAsync(token));
        _clock.Now = DateTimeOffset.FromUnixTimeSeconds(expiresAt);
        using var after = Tokens();
        Assert.Equal(new TokenReading(null, true), await after.ReadKeyAsync(token));
        Assert.Equal(new TokenReading(null, true), await before.ReadKeyAsync(token));
        Assert.Equal(0, after.Remembered);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no token")]
    [InlineData("a.b.c")]
    public async Task What_is_no_token_has_not_ended_either(string text)
    {
        using var tokens = Tokens();
        Assert.Equal(new TokenReading(null, false), await tokens.ReadKeyAsync(text));
    }

    [Fact]
    public async Task A_token_that_is_too_long_is_not_read()
    {
        using var tokens = Tokens();
        string Long(int length) =>
            tokens
                .Create(
                    new(Guid.NewGuid(), Guid.NewGuid(), "anonymous", true, null, JsonDocument.Parse($$"""{"a":"{{new string('x', length)}}"}""").RootElement)
                )
                .Token;
        Assert.NotNull(await tokens.ReadAsync(Long(5000)));
        Assert.Null(await tokens.ReadAsync(Long(7000)));
    }

    public static TheoryData<string, object?> Faults =>
        new()
        {
            { "sub", "somebody" },
            { "sub", null },
            { "role", "admin" },
            { "role", null },
            { "aud", "anon" },
            { "aud", null },
            { "session_id", "a session" },
            { "session_id", null },
            { "unverified", true },
            { "exp", null },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_token_that_we_signed_speaks_for_nobody_when_one_claim_is_missing_or_another(string claim, object? value)
    {
        using var tokens = Tokens();
        var claims = UserClaims();
        Assert.NotNull(await tokens.ReadAsync(Sign(claims, _keys.Signing)));
        if (value is null)
        {
            claims.Remove(claim);
        }
        else
        {
            claims[claim] = value;
        }
        Assert.Null((await tokens.ReadKeyAsync(Sign(claims, _keys.Signing))).Caller);
        Assert.Equal(1, tokens.Remembered);
    }

    [Fact]
    public async Task Nobody_elses_signature_counts()
    {
        using var tokens = Tokens();
        Assert.Null(await tokens.ReadAsync(Sign(UserClaims(), SigningKeys.Load(SigningKeys.New()).Signing)));
        Assert.Null(await tokens.ReadAsync(Sign(UserClaims(), new SymmetricSecurityKey(Encoding.UTF8.GetBytes(FormerSecret)))));
    }

    [Fact]
    public async Task A_former_anon_key_is_anybodys_while_the_switch_is_open_and_is_never_remembered()
    {
        using var open = Tokens(former: FormerSecret, server: new ServerOptions { AcceptUnverifiedUserId = true });
        using var closed = Tokens(former: FormerSecret);
        using var unknown = Tokens(server: new ServerOptions { AcceptUnverifiedUserId = true });
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(FormerSecret));
        var anon = Sign(FormerClaims("anon"), key);
        Assert.Same(Caller.Anonymous, await open.ReadAsync(anon));
        Assert.Equal(0, open.Remembered);
        Assert.Null(await closed.ReadAsync(anon));
        Assert.Null(await unknown.ReadAsync(anon));
        Assert.Null(await open.ReadAsync(Sign(FormerClaims("service_role"), key)));
        Assert.Null(await open.ReadAsync(Sign(FormerClaims("authenticated"), key)));
        Assert.Null(await open.ReadAsync(Sign(new(FormerClaims("anon")) { ["sub"] = Guid.NewGuid().ToString() }, key)));
        Assert.Null(await open.ReadAsync(Sign(FormerClaims("anon"), new SymmetricSecurityKey(Encoding.UTF8.GetBytes("another" + FormerSecret)))));
        Assert.Null(await open.ReadAsync(Sign(FormerClaims("anon"), key, SecurityAlgorithms.HmacSha512)));
        _clock.Now += TimeSpan.FromHours(2);
        Assert.Null(await open.ReadAsync(anon));
    }

    [Fact]
    public void The_public_keys_name_each_key_that_is_still_good()
    {
        var before = SigningKeys.New();
        var keys = SigningKeys.Load(SigningKeys.New(), SigningKeys.PublicOf(before));
        using var tokens = new AccessTokens(keys, Options.Create(new SecurityOptions()), Options.Create(new ServerOptions()), _clock);
        var set = JsonSerializer.SerializeToElement(tokens.PublicKeySet()).GetProperty("keys");
        Assert.Equal(2, set.GetArrayLength());
        Assert.Equal(keys.Public.Select(key => key.KeyId), set.EnumerateArray().Select(key => key.GetProperty("kid").GetString()));
        foreach (var (key, ours) in set.EnumerateArray().Zip(keys.Public))
        {
            var point = ours.ECDsa.ExportParameters(false).Q;
            Assert.Equal(
                $$"""{"kty":"EC","crv":"P-256","x":"{{Base64UrlEncoder.Encode(point.X)}}","y":"{{Base64UrlEncoder.Encode(
                    point.Y
                )}}","kid":"{{ours.KeyId}}","alg":"ES256","use":"sig","key_ops":["verify"]}""",
                key.GetRawText()
            );
        }
    }

    private AccessTokens Tokens(string? former = null, ServerOptions? server = null) =>
        new(
            _keys,
            Options.Create(new SecurityOptions { FormerSupabaseJwtSecret = former }),
            Options.Create(server ?? new ServerOptions { PublicUrl = "https://api.example.com/" }),
            _clock
        );

    private Dictionary<string, object> UserClaims() =>
        new()
        {
            ["sub"] = Guid.NewGuid().ToString(),
            ["aud"] = "authenticated",
            ["role"] = "authenticated",
            ["session_id"] = Guid.NewGuid().ToString(),
            ["exp"] = _clock.Now.AddHours(1).ToUnixTimeSeconds(),
        };

    private Dictionary<string, object> FormerClaims(string role) => new() { ["role"] = role, ["exp"] = _clock.Now.AddHours(1).ToUnixTimeSeconds() };

    private static string Sign(Dictionary<string, object> claims, SecurityKey key, string? algorithm = null) =>
        Handler.CreateToken(
            new SecurityTokenDescriptor
            {
                Claims = claims,
                SigningCredentials = new(key, algorithm ?? (key is ECDsaSecurityKey ? SecurityAlgorithms.EcdsaSha256 : SecurityAlgorithms.HmacSha256)),
            }
        );

    private static string PayloadOf(string token) => Base64UrlEncoder.Decode(token.Split('.')[1]);

    /// <summary>Begins at a whole second of the true time, as what is remembered goes by that too.</summary>
    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
