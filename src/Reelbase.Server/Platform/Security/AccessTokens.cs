using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform.Security;

/// <summary>Makes and checks access tokens: ES256 JWTs with the claims that Supabase clients expect.</summary>
public sealed class AccessTokens : IDisposable
{
    private const int MaxRemembered = 20_000;
    private const int MaxTokenLength = 8192;

    /// <summary>Role and audience of a user's token, as Supabase's clients expect both.</summary>
    private const string Audience = "authenticated";

    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    private readonly Keys _keys;
    private readonly SecurityOptions _options;
    private readonly string _issuer;
    private readonly TimeProvider _clock;
    private readonly ServerOptions _server;
    private readonly TokenValidationParameters _rules;
    private readonly TokenValidationParameters? _formerRules;

    // Checking a signature costs more than the rest of a small request; a token that was checked stays good until it ends. Only the verdict on the signature is
    // remembered: the ban and the session are read at each request. The keys are those of the start, so a key that was removed takes its tokens with it.
    private readonly MemoryCache _checked;

    public AccessTokens(Keys keys, IOptions<SecurityOptions> options, IOptions<ServerOptions> server, TimeProvider clock, int maxRemembered = MaxRemembered)
    {
        _checked = new(new MemoryCacheOptions { SizeLimit = maxRemembered });
        _keys = keys;
        _options = options.Value;
        _clock = clock;
        _server = server.Value;
        _issuer = (server.Value.PublicUrl?.TrimEnd('/') ?? "http://localhost") + "/auth/v1";
        _rules = new()
        {
            IssuerSigningKeys = keys.Public,
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
            // The issuer is our own address, which may change; the key is what proves the origin.
            ValidateIssuer = false,
            // Anon keys have none; a user's token is asked for it below.
            ValidateAudience = false,
            RequireExpirationTime = true,
            ClockSkew = TimeSpan.Zero,
            LifetimeValidator = (_, expires, _, _) => expires is { } end && end > _clock.GetUtcNow().UtcDateTime,
        };
        if (_options.FormerSupabaseJwtSecret is { Length: > 0 } secret)
        {
            _formerRules = _rules.Clone();
            _formerRules.IssuerSigningKeys = null;
            _formerRules.IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(secret));
            _formerRules.ValidAlgorithms = [SecurityAlgorithms.HmacSha256];
        }
    }

    /// <summary>Tokens whose signature need not be checked again.</summary>
    internal int Remembered => _checked.Count;

    /// <summary>Life of a token in seconds.</summary>
    public int LifeSeconds => _options.AccessTokenSeconds;

    /// <summary>Makes the access token of a session.</summary>
    /// <returns>The token and when it ends, in Unix seconds.</returns>
    public (string Token, long ExpiresAt) Create(TokenSubject subject)
    {
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        var expires = now + _options.AccessTokenSeconds;
        var claims = new Dictionary<string, object>
        {
            ["iss"] = _issuer,
            ["sub"] = subject.UserId.ToString(),
            ["aud"] = Audience,
            ["role"] = Audience,
            ["iat"] = now,
            ["exp"] = expires,
            ["session_id"] = subject.SessionId.ToString(),
            ["aal"] = "aal1",
            ["amr"] = new[]
            {
                new Dictionary<string, object> { ["method"] = subject.Method, ["timestamp"] = now },
            },
            ["is_anonymous"] = subject.IsAnonymous,
            ["email"] = subject.Email ?? "",
            ["phone"] = "",
            ["app_metadata"] = subject.IsAnonymous ? [] : new Dictionary<string, object> { ["provider"] = "apple", ["providers"] = new[] { "apple" } },
            ["user_metadata"] = subject.UserMetadata is { } metadata ? metadata : new Dictionary<string, object>(),
        };
        return (Sign(claims), expires);
    }

    /// <summary>The key that an app carries before anybody is signed in: role anon, no subject, ten years.</summary>
    public string CreateAnonKey() => CreateKey("anon");

    /// <summary>The key of an app developer's own servers: role service_role, no subject, ten years. It opens what an operator has granted to that role and nothing else.</summary>
    public string CreateServiceKey() => CreateKey("service_role");

    /// <summary>Who a bearer token speaks for; null when it is not one of ours, was changed, or has ended. A service key speaks for nobody here.</summary>
    public async Task<Caller?> ReadAsync(string token) => await ReadKeyAsync(token) is { Caller: { Role: not "service_role" } caller } ? caller : null;

    /// <summary>What a token is worth: an anon key, a service key, a user's token; or why it is none.</summary>
    public async Task<TokenReading> ReadKeyAsync(string token)
    {
        if (token.Length > MaxTokenLength)
        {
            return new(null, false);
        }
        var key = KeyOf(token);
        if (_checked.TryGetValue(key, out (Caller Caller, DateTime Ends) known))
        {
            return known.Ends > _clock.GetUtcNow().UtcDateTime ? new(known.Caller, false) : new(null, true);
        }
        if (!Handler.CanReadToken(token))
        {
            return new(null, false);
        }
        var result = await Handler.ValidateTokenAsync(token, _rules);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt)
        {
            return await IsFormerAnonKeyAsync(token)
                ? new(Caller.Anonymous, false)
                : new(null, result.Exception is SecurityTokenInvalidLifetimeException or SecurityTokenExpiredException);
        }
        var caller = (jwt.TryGetPayloadValue<string>("role", out var role) ? role : null) switch
        {
            "anon" => Caller.Anonymous,
            "service_role" => Caller.Service,
            _ => ReadUser(jwt),
        };
        if (caller is not null)
        {
            _checked.Set(key, (caller, jwt.ValidTo), new MemoryCacheEntryOptions { Size = 1, AbsoluteExpiration = jwt.ValidTo });
        }
        return new(caller, false);
    }

    /// <summary>The public keys as a JWK set.</summary>
    public object PublicKeySet() =>
        new
        {
            keys = _keys.Public.Select(key =>
            {
                var jwk = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(key);
                return new
                {
                    kty = jwk.Kty,
                    crv = jwk.Crv,
                    x = jwk.X,
                    y = jwk.Y,
                    kid = key.KeyId,
                    alg = "ES256",
                    use = "sig",
                    key_ops = new[] { "verify" },
                };
            }),
        };

    /// <inheritdoc/>
    public void Dispose() => _checked.Dispose();

    /// <summary>What a checked token is remembered by: the token itself is ten times as long, and nobody's who reads this process's memory.</summary>
    private static string KeyOf(string token) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static Caller? ReadUser(JsonWebToken jwt) =>
        Guid.TryParse(jwt.Subject, out var userId)
        && jwt.TryGetPayloadValue<string>("role", out var role)
        && role == Audience
        && jwt.Audiences.Contains(Audience, StringComparer.Ordinal)
        && jwt.TryGetPayloadValue<string>("session_id", out var session)
        && Guid.TryParse(session, out _)
        // Claims that only our own compatibility mode makes up can never come from outside.
        && !jwt.TryGetClaim("unverified", out _)
            ? new Caller("authenticated", userId, Base64UrlEncoder.Decode(jwt.EncodedPayload))
            : null;

    /// <summary>An anon key of the Supabase project that the app came from. Never remembered, because the switch may close.</summary>
    private async Task<bool> IsFormerAnonKeyAsync(string token) =>
        _formerRules is not null
        && _server.AcceptsShippedBuilds(_clock)
        && await Handler.ValidateTokenAsync(token, _formerRules) is { IsValid: true, SecurityToken: JsonWebToken jwt }
        && jwt.TryGetPayloadValue<string>("role", out var role)
        && role == "anon"
        && !jwt.TryGetPayloadValue<string>("sub", out _);

    private string CreateKey(string role)
    {
        var now = _clock.GetUtcNow();
        return Sign(
            new Dictionary<string, object>
            {
                ["iss"] = _issuer,
                ["role"] = role,
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = now.AddYears(10).ToUnixTimeSeconds(),
            }
        );
    }

    private string Sign(Dictionary<string, object> claims) =>
        Handler.CreateToken(new SecurityTokenDescriptor { Claims = claims, SigningCredentials = new(_keys.Signing, SecurityAlgorithms.EcdsaSha256) });
}

/// <summary>Whom a token is made for.</summary>
public sealed record TokenSubject(Guid UserId, Guid SessionId, string Method, bool IsAnonymous, string? Email, JsonElement? UserMetadata = null);

/// <summary>What a token turned out to be.</summary>
/// <param name="Caller">Whom it speaks for; null when it is not one of ours.</param>
/// <param name="HasExpired">It was one of ours and has ended.</param>
public sealed record TokenReading(Caller? Caller, bool HasExpired);
