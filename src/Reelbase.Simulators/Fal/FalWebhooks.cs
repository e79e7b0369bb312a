using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NSec.Cryptography;

namespace Reelbase.Simulators.Fal;

/// <summary>Signs and sends webhooks as fal does: Ed25519 over request id, user id, time and the digest of the bytes sent.</summary>
public sealed class FalWebhooks : IDisposable
{
    /// <summary>As persistent as fal itself, whose tries go on for two hours: a server that takes its time to start must not have missed the last one.</summary>
    private const int MaxDeliveries = 300;

    private const double MaxPauseSeconds = 2;
    private readonly Key _key = new(SignatureAlgorithm.Ed25519);
    private readonly IHttpClientFactory _clients;
    private readonly string _userId;
    private readonly CancellationToken _isOver;

    public FalWebhooks(IHttpClientFactory clients, IConfiguration configuration, IHostApplicationLifetime lifetime)
    {
        _isOver = lifetime.ApplicationStopping;
        _clients = clients;
        _userId = configuration["Fal:UserId"] ?? "user_sim";
    }

    /// <summary>The public key as fal publishes it.</summary>
    public object KeySet() =>
        new
        {
            keys = new[]
            {
                new
                {
                    kty = "OKP",
                    crv = "Ed25519",
                    x = Convert.ToBase64String(_key.PublicKey.Export(KeyBlobFormat.RawPublicKey)).TrimEnd('=').Replace('+', '-').Replace('/', '_'),
                },
            },
        };

    /// <summary>Sends the end of a request, as its directives ask.</summary>
    public async Task DeliverAsync(FalRequest request, object payload, string status, string? error)
    {
        if (request.WebhookUrl is null || request.Directives.Has("no-webhook"))
        {
            return;
        }
        // Spaces and order as fal writes them: whoever parses and writes again breaks the signature.
        var body =
            $"{{\"request_id\": \"{request.Id}\", \"gateway_request_id\": \"{request.Id}\", \"status\": \"{status}\", \"error\": {JsonSerializer.Serialize(error)}, \"payload\": {JsonSerializer.Serialize(payload)}}}";
        if (request.Directives.Has("odd-echo"))
        {
            // Good JSON that not every store can hold: an escaped backslash, a NUL, half of a surrogate pair, a number beyond all bounds.
            body = body[..^1] + """, "echo": {"prompt": "C:\\u0000dir \u0000 cut \ud83d", "seed": 1e200000}}""";
        }
        if (request.Directives.Has("forged"))
        {
            await SendAsync(request, body.Replace("http", "http://forged.invalid/?", StringComparison.Ordinal), "forged");
        }
        if (request.Directives.Has("foreign"))
        {
            await SendAsync(request, body, "foreign");
        }
        if (request.Directives.Has("late-webhook"))
        {
            await Task.Delay(TimeSpan.FromSeconds(request.Directives.Seconds("late-webhook", 30)));
        }
        for (var attempt = 0; attempt < MaxDeliveries && !await SendAsync(request, body, "true"); attempt++)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(0.5 * (attempt + 1), MaxPauseSeconds)), _isOver);
        }
        if (request.Directives.Has("twice"))
        {
            await SendAsync(request, body, "true");
        }
    }

    /// <summary>Sends one webhook: true, forged (signature of another key), foreign (of another customer), stale (old time) or tampered (other bytes).</summary>
    public async Task<bool> SendAsync(FalRequest request, string body, string variant)
    {
        using var message = Sign(request.WebhookUrl!, request.Id, body, variant);
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            using var response = await _clients.CreateClient().SendAsync(message, limit.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>A webhook ready to be sent, in one of the variants.</summary>
    public HttpRequestMessage Sign(string address, string requestId, string body, string variant = "true")
    {
        var userId = variant == "foreign" ? "user_of_somebody_else" : _userId;
        var time = (DateTimeOffset.UtcNow.ToUnixTimeSeconds() - (variant == "stale" ? 3600 : 0)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
        using var other = new Key(SignatureAlgorithm.Ed25519);
        var signature = SignatureAlgorithm.Ed25519.Sign(variant == "forged" ? other : _key, Encoding.UTF8.GetBytes($"{requestId}\n{userId}\n{time}\n{digest}"));
        var message = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new StringContent(variant == "tampered" ? body + " " : body, Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json")),
        };
        message.Headers.Add("X-Fal-Webhook-Request-Id", requestId);
        message.Headers.Add("X-Fal-Webhook-User-Id", userId);
        message.Headers.Add("X-Fal-Webhook-Timestamp", time);
        message.Headers.Add("X-Fal-Webhook-Signature", Convert.ToHexStringLower(signature));
        return message;
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
