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
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    private readonly Keys _keys;
    private readonly SecurityOptions _options;
    private readonly string _issuer;
    private readonly TimeProvider _clock;
    private readonly TokenValidationParameters _rules;

    // Checking a signature costs more than the rest of a small request; a token that was checked stays good until it ends.
    private readonly MemoryCache _checked = new(new MemoryCacheOptions { SizeLimit = MaxRemembered });

    public AccessTokens(Keys keys, IOptions<SecurityOptions> options, IOptions<ServerOptions> server, TimeProvider clock)
    {
        _keys = keys;
        _options = options.Value;
        _clock = clock;
        _issuer = (server.Value.PublicUrl?.TrimEnd('/') ?? "http://localhost") + "/auth/v1";
        _rules = new()
        {
            IssuerSigningKeys = keys.Public,
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
            ValidAudience = "authenticated",
            // The issuer is our own address, which may change; the key is what proves the origin.
            ValidateIssuer = false,
            ValidateAudience = false,
            RequireExpirationTime = true,
            ClockSkew = TimeSpan.Zero,
            LifetimeValidator = (_, expires, _, _) => expires is { } end && end > _clock.GetUtcNow().UtcDateTime,
        };
    }

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
            ["aud"] = "authenticated",
            ["role"] = "authenticated",
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
            ["user_metadata"] = new Dictionary<string, object>(),
        };
        return (Sign(claims), expires);
    }

    /// <summary>The key that an app carries before anybody is signed in: role anon, no subject, ten years.</summary>
    public string CreateAnonKey()
    {
        var now = _clock.GetUtcNow();
        return Sign(
            new Dictionary<string, object>
            {
                ["iss"] = _issuer,
                ["role"] = "anon",
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = now.AddYears(10).ToUnixTimeSeconds(),
            }
        );
    }

    /// <summary>Who a bearer token speaks for; null when it is not one of ours, was changed, or has ended.</summary>
    public async Task<Caller?> ReadAsync(string token)
    {
        if (_checked.TryGetValue(token, out (Caller Caller, DateTime Ends) known))
        {
            return known.Ends > _clock.GetUtcNow().UtcDateTime ? known.Caller : null;
        }
        if (token.Length > 8192 || !Handler.CanReadToken(token))
        {
            return null;
        }
        var result = await Handler.ValidateTokenAsync(token, _rules);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt)
        {
            return null;
        }
        var caller = jwt.TryGetPayloadValue<string>("role", out var role) && role == "anon" ? Caller.Anonymous : ReadUser(jwt);
        if (caller is not null)
        {
            _checked.Set(token, (caller, jwt.ValidTo), new MemoryCacheEntryOptions { Size = 1, AbsoluteExpiration = jwt.ValidTo });
        }
        return caller;
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

    private static Caller? ReadUser(JsonWebToken jwt) =>
        Guid.TryParse(jwt.Subject, out var userId)
        && jwt.TryGetPayloadValue<string>("role", out var role)
        && role == "authenticated"
        && jwt.TryGetPayloadValue<string>("session_id", out var session)
        && Guid.TryParse(session, out _)
        // Claims that only our own compatibility mode makes up can never come from outside.
        && !jwt.TryGetPayloadValue<JsonElement>("unverified", out _)
            ? new Caller("authenticated", userId, Base64UrlEncoder.Decode(jwt.EncodedPayload))
            : null;

    private string Sign(Dictionary<string, object> claims) =>
        Handler.CreateToken(new SecurityTokenDescriptor { Claims = claims, SigningCredentials = new(_keys.Signing, SecurityAlgorithms.EcdsaSha256) });
}

/// <summary>Whom a token is made for.</summary>
public sealed record TokenSubject(Guid UserId, Guid SessionId, string Method, bool IsAnonymous, string? Email);
