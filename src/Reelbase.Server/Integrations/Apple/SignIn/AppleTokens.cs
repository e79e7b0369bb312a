using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Integrations.Apple.SignIn;

/// <summary>Who signed in, as Apple says.</summary>
/// <param name="Subject">Stable for our team; the only thing that names the account.</param>
/// <param name="Email">Only when Apple has verified it; may be a relay address.</param>
/// <param name="ClientId">Which of our apps the token was made for.</param>
/// <param name="TokenHash">SHA-256 of the token, which is good for one success; null where nobody has verified a token.</param>
/// <param name="ExpiresAt">When the token would end by itself.</param>
public sealed record AppleIdentity(string Subject, string? Email, string ClientId, byte[]? TokenHash = null, DateTime? ExpiresAt = null);

/// <summary>What Apple says happened to an Apple account.</summary>
public sealed record AppleAccountEvent(string Id, string Type, string Subject, DateTimeOffset At);

/// <summary>
/// Reads what appleid.apple.com signs (RS256): identity tokens and account events. Source of the rules: Apple's "Verifying a user", "id_token" and
/// "Processing changes for Sign in with Apple accounts".
/// </summary>
public sealed class AppleTokens(IHttpClientFactory clients, IOptions<AppleSignInOptions> options, TimeProvider clock, ILogger<AppleTokens> logger) : IDisposable
{
    /// <summary>The name of its HTTP client.</summary>
    public const string ClientName = "apple-id";

    private const string Issuer = "https://appleid.apple.com";
    private const int MaxTokenLength = 16 * 1024;
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(2);
    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false };

    private readonly VendorKeys<JsonWebKey> _keys = new(
        limit => clients.CreateClient(ClientName).GetStringAsync($"{options.Value.BaseUrl.TrimEnd('/')}/auth/keys", limit),
        key => key is { Kty: "RSA", Use: null or "sig", Kid.Length: > 0 } ? key : null,
        new(
            TimeSpan.FromSeconds(options.Value.KeysLifeSeconds),
            TimeSpan.FromSeconds(options.Value.KeysRefreshSeconds),
            TimeSpan.FromSeconds(options.Value.TimeoutSeconds)
        ),
        clock,
        logger
    );

    /// <summary>Whether there is anything to check against.</summary>
    public bool IsConfigured => options.Value.CanVerify;

    /// <summary>Checks an identity token.</summary>
    /// <param name="token">Apple's token.</param>
    /// <param name="nonce">What the app made up; Apple's token holds its SHA-256 in hex. Both are there or neither is.</param>
    /// <returns>The identity, or null and in one word why not.</returns>
    /// <exception cref="VendorKeysUnavailableException">Apple's keys could not be fetched.</exception>
    public async Task<(AppleIdentity? Identity, string Fault)> ReadIdentityAsync(string? token, string? nonce, CancellationToken cancellationToken)
    {
        var (jwt, fault) = await VerifyAsync(token, requireExpiry: true, cancellationToken);
        if (jwt is null)
        {
            return (null, fault);
        }
        if (jwt.IssuedAt < (clock.GetUtcNow() - TimeSpan.FromSeconds(options.Value.MaxTokenAgeSeconds) - Skew).UtcDateTime)
        {
            return (null, "too_old");
        }
        if (jwt.IssuedAt > (clock.GetUtcNow() + Skew).UtcDateTime)
        {
            return (null, "not_yet");
        }
        var claimed = Text(jwt, "nonce");
        if ((claimed is null) != string.IsNullOrEmpty(nonce) || (claimed is not null && !claimed.Equals(Hash(nonce!), StringComparison.OrdinalIgnoreCase)))
        {
            return (null, "nonce");
        }
        if (jwt.Subject is not { Length: > 0 and <= 255 } subject || Platform.Http.Json.NullIfUnstorable(subject) is null)
        {
            return (null, "subject");
        }
        var email =
            Text(jwt, "email") is { Length: > 2 and <= 320 } address && IsTrue(jwt, "email_verified") ? Platform.Http.Json.NullIfUnstorable(address) : null;
        var tokenHash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token!.Trim()));
        return (new AppleIdentity(subject, email, jwt.Audiences.First(), tokenHash, jwt.ValidTo + Skew), "");
    }

    /// <summary>Checks an account event.</summary>
    /// <exception cref="VendorKeysUnavailableException">Apple's keys could not be fetched.</exception>
    public async Task<AppleAccountEvent?> ReadEventAsync(string? payload, CancellationToken cancellationToken)
    {
        if ((await VerifyAsync(payload, requireExpiry: false, cancellationToken)).Token is not { } jwt)
        {
            return null;
        }
        try
        {
            using var body = JsonDocument.Parse(Base64UrlEncoder.Decode(jwt.EncodedPayload));
            var events = body.RootElement.GetProperty("events");
            // Documented as an object and sent as a text that holds one.
            using var inner = JsonDocument.Parse(events.ValueKind == JsonValueKind.String ? events.GetString()! : events.GetRawText());
            var type = inner.RootElement.Text("type");
            var subject = inner.RootElement.Text("sub");
            var time = inner.RootElement.Number("event_time");
            if (type is null || subject is null || time is null)
            {
                return null;
            }
            // Seconds in the documents, milliseconds in the field.
            var at = DateTimeOffset.FromUnixTimeMilliseconds((long)(time.Value > 100_000_000_000 ? time.Value : time.Value * 1000));
            var id = Text(jwt, "jti") is { Length: > 0 and <= 150 } jti ? jti : $"{subject}:{type}:{time}";
            return new AppleAccountEvent(id, type, subject, at);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _keys.Dispose();

    private async Task<(JsonWebToken? Token, string Fault)> VerifyAsync(string? token, bool requireExpiry, CancellationToken cancellationToken)
    {
        if (!IsConfigured)
        {
            return (null, "not_configured");
        }
        if (token is not { Length: > 0 and <= MaxTokenLength } || !Handler.CanReadToken(token))
        {
            return (null, "malformed");
        }
        JsonWebToken unverified;
        try
        {
            unverified = Handler.ReadJsonWebToken(token);
            if (unverified.Alg != SecurityAlgorithms.RsaSha256)
            {
                return (null, "algorithm");
            }
        }
        catch (Exception error) when (error is ArgumentException or JsonException or SecurityTokenException)
        {
            return (null, "malformed");
        }
        if (unverified.Kid is not { Length: > 0 } kid || await _keys.FindAsync(key => key.Kid == kid, cancellationToken) is not { } key)
        {
            return (null, "unknown_key");
        }
        var result = await Handler.ValidateTokenAsync(
            token,
            new TokenValidationParameters
            {
                IssuerSigningKey = key,
                ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
                ValidIssuer = Issuer,
                ValidAudiences = options.Value.ClientIds,
                RequireExpirationTime = requireExpiry,
                LifetimeValidator = (notBefore, expires, _, _) =>
                    (expires is null ? !requireExpiry : expires + Skew > clock.GetUtcNow().UtcDateTime)
                    && (notBefore is null || notBefore - Skew < clock.GetUtcNow().UtcDateTime),
            }
        );
        return result is { IsValid: true, SecurityToken: JsonWebToken jwt }
            ? (jwt, "")
            : (
                null,
                result.Exception switch
                {
                    SecurityTokenInvalidAudienceException => "audience",
                    SecurityTokenInvalidIssuerException => "issuer",
                    SecurityTokenInvalidLifetimeException or SecurityTokenNoExpirationException => "expired",
                    _ => "signature",
                }
            );
    }

    private static string Hash(string nonce) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(nonce)));

    private static string? Text(JsonWebToken jwt, string name) => jwt.TryGetPayloadValue<string>(name, out var value) ? value : null;

    /// <summary>Apple writes some booleans as texts.</summary>
    private static bool IsTrue(JsonWebToken jwt, string name) =>
        jwt.TryGetPayloadValue<JsonElement>(name, out var value)
            ? value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && value.GetString() == "true")
            : jwt.TryGetPayloadValue<object>(name, out var plain) && plain is true or "true";
}
