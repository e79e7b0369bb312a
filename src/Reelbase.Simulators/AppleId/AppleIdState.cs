using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Reelbase.Simulators.Apple;

namespace Reelbase.Simulators.AppleId;

/// <summary>An authorization code that waits to be exchanged.</summary>
public sealed record IssuedCode(string Subject, string ClientId, DateTime EndsAt);

/// <summary>Apple's sign-in: keys, codes and tokens, kept as long as the process lives.</summary>
public sealed class AppleIdState
{
    private const int LifeSeconds = 86_400;
    private static readonly TimeSpan CodeLife = TimeSpan.FromMinutes(5);
    private readonly Lock _gate = new();
    private readonly List<(string Kid, RSA Key)> _keys = [New(), New()];
    private readonly HashSet<string> _usedCodes = [];

    public ConcurrentDictionary<string, IssuedCode> Codes { get; } = new();
    public ConcurrentDictionary<string, (string Subject, string ClientId)> RefreshTokens { get; } = new();
    public ConcurrentQueue<(string Token, string ClientId, bool WasKnown)> Revocations { get; } = new();
    public ConcurrentQueue<string> Exchanges { get; } = new();

    public void Reset()
    {
        Codes.Clear();
        RefreshTokens.Clear();
        Revocations.Clear();
        Exchanges.Clear();
    }

    /// <summary>A new key signs from now on; the oldest one is not published any more.</summary>
    public void Rotate()
    {
        lock (_gate)
        {
            _keys.Insert(0, New());
            _keys.RemoveAt(_keys.Count - 1);
        }
    }

    /// <summary>The published keys.</summary>
    public object PublicKeys()
    {
        lock (_gate)
        {
            return new
            {
                keys = _keys.ConvertAll(entry =>
                {
                    var parameters = entry.Key.ExportParameters(false);
                    return new
                    {
                        kty = "RSA",
                        kid = entry.Kid,
                        use = "sig",
                        alg = "RS256",
                        n = Base64.UrlEncode(parameters.Modulus!),
                        e = Base64.UrlEncode(parameters.Exponent!),
                    };
                }),
            };
        }
    }

    /// <summary>An identity token. The nonce is echoed as the app put it into its request, which is the SHA-256 of what it sends to us.</summary>
    public string IdentityToken(string subject, string? email, string? nonce, string audience, long? issuedAt = null)
    {
        var now = issuedAt ?? DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new Dictionary<string, object>
        {
            ["iss"] = "https://appleid.apple.com",
            ["aud"] = audience,
            ["exp"] = now + LifeSeconds,
            ["iat"] = now,
            ["sub"] = subject,
            ["auth_time"] = now,
            ["nonce_supported"] = true,
            // Of the code that comes beside it, so that no two sign-ins have one token.
            ["c_hash"] = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(11)),
            ["real_user_status"] = 2,
        };
        if (email is not null)
        {
            claims["email"] = email;
            // Booleans as texts, which is how they come.
            claims["email_verified"] = "true";
            claims["is_private_email"] = email.EndsWith("@privaterelay.appleid.com", StringComparison.Ordinal) ? "true" : "false";
        }
        if (nonce is not null)
        {
            claims["nonce"] = nonce;
        }
        return Sign(claims);
    }

    /// <summary>An account event; its inner part is a text that holds JSON unless it is to be an object as documented.</summary>
    public string Event(string type, string subject, string audience, bool asObject)
    {
        var inner = new Dictionary<string, object>
        {
            ["type"] = type,
            ["sub"] = subject,
            ["event_time"] = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        };
        return Sign(
            new Dictionary<string, object>
            {
                ["iss"] = "https://appleid.apple.com",
                ["aud"] = audience,
                ["iat"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
                ["jti"] = Guid.NewGuid().ToString("N"),
                ["events"] = asObject ? inner : JsonSerializer.Serialize(inner),
            }
        );
    }

    /// <summary>A code as an app gets it with its identity token.</summary>
    public string NewCode(string subject, string clientId)
    {
        var code = $"c{RandomNumberGenerator.GetHexString(48, lowercase: true)}.0.simulated";
        Codes[code] = new(subject, clientId, DateTime.UtcNow + CodeLife);
        return code;
    }

    /// <summary>The code's sign-in, once and within five minutes.</summary>
    public IssuedCode? TakeCode(string? code, string? clientId)
    {
        lock (_gate)
        {
            return
                code is not null
                && Codes.TryGetValue(code, out var issued)
                && issued.ClientId == clientId
                && issued.EndsAt > DateTime.UtcNow
                && _usedCodes.Add(code)
                ? issued
                : null;
        }
    }

    private string Sign(Dictionary<string, object> claims)
    {
        (string Kid, RSA Key) signer;
        lock (_gate)
        {
            signer = _keys[0];
        }
        var head = Base64.UrlEncode(JsonSerializer.SerializeToUtf8Bytes(new { alg = "RS256", kid = signer.Kid }));
        var body = Base64.UrlEncode(JsonSerializer.SerializeToUtf8Bytes(claims));
        var signature = signer.Key.SignData(Encoding.ASCII.GetBytes($"{head}.{body}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{head}.{body}.{Base64.UrlEncode(signature)}";
    }

    private static (string, RSA) New() => (RandomNumberGenerator.GetHexString(10), RSA.Create(2048));
}
