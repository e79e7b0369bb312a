using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>Whether an event is fal's and meant for us. Source of the rules: fal's document "Webhooks".</summary>
public sealed class FalWebhooks(IOptions<FalOptions> options, FalWebhookKeys keys, TimeProvider clock)
{
    private const int ToleranceSeconds = 300;
    private const int MaxRequestIdLength = 200;

    /// <summary>The event; unproven when anything about its headers or signature is not right.</summary>
    public async Task<InboundEvent> VerifyAsync(IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var requestId = One(headers, "X-Fal-Webhook-Request-Id");
        var userId = One(headers, "X-Fal-Webhook-User-Id");
        var timestamp = One(headers, "X-Fal-Webhook-Timestamp");
        var signature = One(headers, "X-Fal-Webhook-Signature");
        if (
            requestId is not { Length: > 0 and <= MaxRequestIdLength }
            // fal signs for all its customers with the same keys.
            || userId is null
            || userId != options.Value.UserId
            || signature is not { Length: 128 }
            || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || Math.Abs(clock.GetUtcNow().ToUnixTimeSeconds() - seconds) > ToleranceSeconds
        )
        {
            return new InboundEvent.Unproven();
        }
        byte[] given;
        try
        {
            given = Convert.FromHexString(signature);
        }
        catch (FormatException)
        {
            return new InboundEvent.Unproven();
        }
        // The digest is over the bytes as they came: writing the JSON again would change its spaces.
        var digest = Convert.ToHexStringLower(SHA256.HashData(body.Span));
        var message = Encoding.UTF8.GetBytes($"{requestId}\n{userId}\n{timestamp}\n{digest}");
        if (!await keys.VerifyAsync(message, given, cancellationToken))
        {
            return new InboundEvent.Unproven();
        }
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Text("request_id") switch
            {
                null => new InboundEvent.Unreadable("no_request_id"),
                var id when id == requestId => new InboundEvent.Genuine(id, document.RootElement.Text("status") ?? "unknown", id),
                _ => new InboundEvent.Unproven(),
            };
        }
        catch (JsonException)
        {
            return new InboundEvent.Unreadable("invalid_json");
        }
    }

    /// <summary>A header that comes exactly once; two of them are two opinions.</summary>
    private static string? One(IHeaderDictionary headers, string name) => headers[name] is { Count: 1 } values ? values[0] : null;
}
