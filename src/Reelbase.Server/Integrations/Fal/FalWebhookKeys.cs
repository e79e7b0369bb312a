using System.Text.Json;
using Microsoft.Extensions.Options;
using NSec.Cryptography;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>The Ed25519 keys that fal signs webhooks with, kept for a day and fetched anew, at most once a minute, when none of them fits.</summary>
public sealed class FalWebhookKeys(IHttpClientFactory clients, IOptions<FalOptions> options, TimeProvider clock, ILogger<FalWebhookKeys> logger) : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(24);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PauseWithoutKeys = TimeSpan.FromSeconds(2);
    private const int MaxKeys = 20;

    private readonly SemaphoreSlim _one = new(1, 1);
    private IReadOnlyList<PublicKey> _keys = [];
    private DateTimeOffset _fetchedAt = DateTimeOffset.MinValue;
    private DateTimeOffset _triedAt = DateTimeOffset.MinValue;

    /// <summary>Whether any of fal's keys made this signature. No key id is sent, so each is tried.</summary>
    public async Task<bool> VerifyAsync(byte[] message, byte[] signature, CancellationToken cancellationToken)
    {
        if (clock.GetUtcNow() - _fetchedAt < Life && Fits(message, signature))
        {
            return true;
        }
        // Fal may have changed its keys.
        await FetchAsync(cancellationToken);
        return Fits(message, signature);
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private bool IsTooSoon() => clock.GetUtcNow() - _triedAt < (_keys.Count > 0 ? Pause : PauseWithoutKeys);

    private bool Fits(byte[] message, byte[] signature) => _keys.Any(key => SignatureAlgorithm.Ed25519.Verify(key, message, signature));

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            // Somebody sending nonsense must not make us ask fal for each piece of it.
            if (IsTooSoon())
            {
                return;
            }
            _triedAt = clock.GetUtcNow();
            using var document = JsonDocument.Parse(await clients.CreateClient("fal-keys").GetStringAsync(options.Value.JwksUrl, cancellationToken));
            _keys =
            [
                .. document
                    .RootElement.GetProperty("keys")
                    .EnumerateArray()
                    .Take(MaxKeys)
                    .Where(key => key.TryGetProperty("x", out _))
                    .Select(key =>
                        PublicKey.Import(
                            SignatureAlgorithm.Ed25519,
                            Microsoft.IdentityModel.Tokens.Base64UrlEncoder.DecodeBytes(key.GetProperty("x").GetString()),
                            KeyBlobFormat.RawPublicKey
                        )
                    ),
            ];
            _fetchedAt = clock.GetUtcNow();
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or FormatException or TaskCanceledException or KeyNotFoundException)
        {
            logger.LogWarning("fal's webhook keys could not be fetched ({Reason}); keeping the {Count} known ones", error.Message, _keys.Count);
        }
        finally
        {
            _one.Release();
        }
    }
}
