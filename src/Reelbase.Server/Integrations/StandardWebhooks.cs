using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Reelbase.Server.Integrations;

/// <summary>
/// Signed events after the Standard Webhooks convention (standardwebhooks.com): HMAC-SHA256 over <c>id.timestamp.body</c>, base64, prefixed
/// with <c>v1,</c>; several signatures parted by spaces, several secrets while one replaces another.
/// </summary>
public static class StandardWebhooks
{
    private const int ToleranceSeconds = 300;
    private const int MaxIdLength = 200;
    private const int MaxSignatures = 10;

    /// <summary>The event's id, or null when it is stale or no secret fits.</summary>
    public static string? Verify(IHeaderDictionary headers, ReadOnlySpan<byte> body, IReadOnlyCollection<string> secrets, DateTimeOffset now)
    {
        if (
            One(headers, "webhook-id") is not { Length: > 0 and <= MaxIdLength } id
            || One(headers, "webhook-timestamp") is not { } timestamp
            || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || Math.Abs(now.ToUnixTimeSeconds() - seconds) > ToleranceSeconds
            || One(headers, "webhook-signature") is not { } signatures
        )
        {
            return null;
        }
        byte[] message = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var given = signatures
            .Split(' ', MaxSignatures + 1, StringSplitOptions.RemoveEmptyEntries)
            .Take(MaxSignatures)
            .Where(signature => signature.StartsWith("v1,", StringComparison.Ordinal))
            .Select(signature => Encoding.ASCII.GetBytes(signature[3..]))
            .ToList();
        var fits = false;
        foreach (var secret in secrets)
        {
            var expected = Encoding.ASCII.GetBytes(Sign(secret, message));
            // All are compared, each in constant time: how long it takes says nothing about which one fits.
            foreach (var signature in given)
            {
                fits |= CryptographicOperations.FixedTimeEquals(expected, signature);
            }
        }
        return fits ? id : null;
    }

    /// <summary>The signature of a message under a secret; the part after <c>whsec_</c> is base64.</summary>
    public static string Sign(string secret, byte[] message) =>
        Convert.ToBase64String(
            HMACSHA256.HashData(Convert.FromBase64String(secret.StartsWith("whsec_", StringComparison.Ordinal) ? secret[6..] : secret), message)
        );

    private static string? One(IHeaderDictionary headers, string name) => headers[name] is { Count: 1 } values ? values[0] : null;
}
