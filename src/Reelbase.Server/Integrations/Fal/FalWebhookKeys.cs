using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using NSec.Cryptography;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>The Ed25519 keys that fal signs webhooks with, kept for a day and fetched anew, at most once a minute and after a failure every two seconds, when none of them fits.</summary>
public sealed class FalWebhookKeys(IHttpClientFactory clients, IOptions<FalOptions> options, TimeProvider clock, ILogger<FalWebhookKeys> logger) : IDisposable
{
    private readonly VendorKeys<PublicKey> _keys = new(
        limit => clients.CreateClient("fal-keys").GetStringAsync(options.Value.JwksUrl, limit),
        key =>
            key is { Kty: "OKP", Crv: "Ed25519", X: { } x }
                ? PublicKey.Import(SignatureAlgorithm.Ed25519, Base64UrlEncoder.DecodeBytes(x), KeyBlobFormat.RawPublicKey)
                : null,
        new(Life: TimeSpan.FromHours(24), Pause: TimeSpan.FromMinutes(1), Timeout: TimeSpan.FromSeconds(10)),
        clock,
        logger
    );

    /// <summary>Whether any of fal's keys made this signature. No key id is sent, so each is tried.</summary>
    public async Task<bool> VerifyAsync(byte[] message, byte[] signature, CancellationToken cancellationToken)
    {
        try
        {
            return await _keys.FindAsync(key => SignatureAlgorithm.Ed25519.Verify(key, message, signature), cancellationToken) is not null;
        }
        catch (VendorKeysUnavailableException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _keys.Dispose();
}
