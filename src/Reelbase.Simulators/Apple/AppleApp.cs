using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Reelbase.Simulators.Apple;

/// <summary>The app and team that pretend Apple knows, and how it checks who calls.</summary>
public sealed class AppleApp(IConfiguration configuration)
{
    public string BundleId { get; } = configuration["Apple:BundleId"] ?? "com.example.reelbase";
    public long AppAppleId { get; } = configuration.GetValue("Apple:AppAppleId", 1234567890L);
    public string TeamId { get; } = configuration["Apple:TeamId"] ?? "SIMULATED1";
    public string KeyId { get; } = configuration["Apple:KeyId"] ?? "SIMULATED1";
    public string IssuerId { get; } = configuration["Apple:IssuerId"] ?? "5a1e0f6c-1111-4000-8000-000000000001";

    /// <summary>Where the server is, for what Apple sends to it.</summary>
    public string? ServerUrl { get; } = configuration["Apple:ServerUrl"]?.TrimEnd('/');

    // The developer's key. Without it the form of a token is checked and its signature is not.
    private readonly ECDsa? _key = ReadKey(configuration);

    /// <summary>The claims of a token signed with the developer's key, or why it is not taken.</summary>
    /// <param name="jwt">The token.</param>
    /// <param name="issuer">What <c>iss</c> must be.</param>
    /// <param name="fault">In a few words.</param>
    public JsonElement? ReadToken(string? jwt, string issuer, out string fault) => ReadToken(jwt, issuer, KeyId, _key, out fault);

    /// <summary>The same for another key of the team.</summary>
    public static JsonElement? ReadToken(string? jwt, string issuer, string keyId, ECDsa? key, out string fault)
    {
        fault = "malformed";
        if (jwt?.Split('.') is not [var head, var body, var signature])
        {
            return null;
        }
        try
        {
            using var header = JsonDocument.Parse(Base64.UrlDecode(head));
            using var claims = JsonDocument.Parse(Base64.UrlDecode(body));
            var root = claims.RootElement;
            fault =
                header.RootElement.GetProperty("alg").GetString() != "ES256" ? "alg"
                : header.RootElement.GetProperty("kid").GetString() != keyId ? "kid"
                : root.GetProperty("iss").GetString() != issuer ? "iss"
                // Apple takes no token of the future, be it a second.
                : root.GetProperty("iat").GetInt64() > DateTimeOffset.UtcNow.ToUnixTimeSeconds() ? "iat"
                : key is not null && !key.VerifyData(Encoding.ASCII.GetBytes($"{head}.{body}"), Base64.UrlDecode(signature), HashAlgorithmName.SHA256)
                    ? "signature"
                : "";
            return fault.Length == 0 ? root.Clone() : null;
        }
        catch (Exception error) when (error is FormatException or JsonException or KeyNotFoundException or InvalidOperationException or CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The id of the key that a token says it was signed with.</summary>
    public static string? KeyIdOf(string jwt)
    {
        try
        {
            using var header = JsonDocument.Parse(Base64.UrlDecode(jwt.Split('.')[0]));
            return header.RootElement.GetProperty("kid").GetString();
        }
        catch (Exception error) when (error is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static ECDsa? ReadKey(IConfiguration configuration)
    {
        var pem = configuration["Apple:Key"] ?? (configuration["Apple:KeyFile"] is { } file ? File.ReadAllText(file) : null);
        if (pem is null)
        {
            return null;
        }
        var key = ECDsa.Create();
        key.ImportFromPem(pem);
        return key;
    }
}

/// <summary>Base64 as tokens write it.</summary>
public static class Base64
{
    public static string UrlEncode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    public static byte[] UrlDecode(string text) => System.Buffers.Text.Base64Url.DecodeFromChars(text);
}
