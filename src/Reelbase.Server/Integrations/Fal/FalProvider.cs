using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>fal.ai through its queue API. Source of the rules: fal's documents "Queue API", "Webhooks" and "Model errors".</summary>
public sealed class FalProvider(IHttpClientFactory clients, IOptions<FalOptions> options, FalWebhookKeys keys, TimeProvider clock, ILogger<FalProvider> logger)
    : IVideoProvider
{
    private static readonly TimeSpan WebhookTolerance = TimeSpan.FromMinutes(5);
    private const int MaxAnswerBytes = 1024 * 1024;

    private FalOptions Options => options.Value;

    /// <inheritdoc/>
    public string Name => "fal";

    /// <inheritdoc/>
    public int Concurrency => Options.Concurrency;

    /// <inheritdoc/>
    public bool HasWebhooks => !string.IsNullOrEmpty(Options.UserId);

    /// <inheritdoc/>
    public IReadOnlyCollection<string> MediaHosts => Options.MediaHosts;

    /// <inheritdoc/>
    public async Task<SubmitOutcome> SubmitAsync(GenerationInput input, string? webhookUrl, CancellationToken cancellationToken)
    {
        var address = $"{Options.QueueUrl.TrimEnd('/')}/{input.ProviderModelId}";
        if (webhookUrl is not null)
        {
            address += "?fal_webhook=" + Uri.EscapeDataString(webhookUrl);
        }
        using var request = Request(HttpMethod.Post, address);
        // Ask fal to keep nothing of ours for longer than it takes us to fetch the video.
        request.Headers.Add("X-Fal-Store-IO", "0");
        request.Headers.Add("X-Fal-Object-Lifecycle-Preference", """{"expiration_duration_seconds":86400}""");
        request.Content = new StringContent(FalInput.Build(input).ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            using var limit = Limit(Options.SubmitTimeoutSeconds, cancellationToken);
            using var response = await clients.CreateClient("fal-submit").SendAsync(request, limit.Token);
            var text = await response.Content.ReadAsStringAsync(limit.Token);
            return response.IsSuccessStatusCode ? ReadAccepted(text) : ReadRefusal(response, text);
        }
        catch (HttpRequestException error)
            when (error.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError)
        {
            return new SubmitOutcome.NotAccepted($"fal could not be reached: {error.HttpRequestError}", null, false);
        }
        catch (Exception error) when (error is HttpRequestException or IOException || IsTimeout(error, cancellationToken))
        {
            return new SubmitOutcome.Ambiguous($"no complete answer to the submission: {error.GetType().Name}");
        }
    }

    /// <inheritdoc/>
    public async Task<PollOutcome> PollAsync(SubmissionRef submission, CancellationToken cancellationToken)
    {
        try
        {
            var (status, body) = await GetAsync(Address(submission, submission.StatusUrl, "/status"), cancellationToken);
            if (status is HttpStatusCode.NotFound)
            {
                return new PollOutcome.Failed(FailureKind.Unavailable, "fal does not know this request any more");
            }
            if (!IsSuccess(status) || Text(body, "status") is not { } state)
            {
                return new PollOutcome.Unknown($"the status answered {(int)status}");
            }
            return state switch
            {
                "IN_QUEUE" or "IN_PROGRESS" => new PollOutcome.Running(),
                // COMPLETED only means that there is nothing left to wait for.
                "COMPLETED" => await ReadResultAsync(submission, body, cancellationToken),
                _ => new PollOutcome.Unknown($"the status is {state}"),
            };
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException || IsTimeout(error, cancellationToken))
        {
            return new PollOutcome.Unknown($"the status could not be read: {error.GetType().Name}");
        }
    }

    /// <inheritdoc/>
    public async Task<bool> CancelAsync(SubmissionRef submission, CancellationToken cancellationToken)
    {
        try
        {
            using var request = Request(HttpMethod.Put, Address(submission, submission.CancelUrl, "/cancel"));
            using var limit = Limit(Options.ReadTimeoutSeconds, cancellationToken);
            using var response = await clients.CreateClient("fal").SendAsync(request, limit.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException || IsTimeout(error, cancellationToken))
        {
            logger.LogWarning("fal could not be asked to cancel ({Reason})", error.GetType().Name);
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<InboundEvent?> VerifyWebhookAsync(IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var requestId = headers["X-Fal-Webhook-Request-Id"].ToString();
        var userId = headers["X-Fal-Webhook-User-Id"].ToString();
        var timestamp = headers["X-Fal-Webhook-Timestamp"].ToString();
        var signatureText = headers["X-Fal-Webhook-Signature"].ToString();
        if (
            requestId.Length is 0 or > 200
            || userId != Options.UserId
            || signatureText.Length != 128
            || !long.TryParse(timestamp, System.Globalization.CultureInfo.InvariantCulture, out var seconds)
            || Math.Abs(clock.GetUtcNow().ToUnixTimeSeconds() - seconds) > WebhookTolerance.TotalSeconds
        )
        {
            return null;
        }
        try
        {
            // The digest is over the bytes as they came: writing the JSON again would change its spaces.
            var digest = Convert.ToHexStringLower(SHA256.HashData(body.Span));
            var message = Encoding.UTF8.GetBytes($"{requestId}\n{userId}\n{timestamp}\n{digest}");
            if (!await keys.VerifyAsync(message, Convert.FromHexString(signatureText), cancellationToken))
            {
                return null;
            }
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            return Text(root, "request_id") == requestId ? new(requestId, Text(root, "status") ?? "unknown", requestId) : null;
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public PollOutcome ReadWebhook(JsonElement payload)
    {
        if (Text(payload, "status") == "OK")
        {
            return Child(payload, "payload") is { } output && VideoUrl(output) is { } url
                ? new PollOutcome.Succeeded(url)
                : new PollOutcome.Unknown("the webhook carries no usable result");
        }
        return Text(payload, "status") == "ERROR" && Child(payload, "payload") is { } detail
            ? FalErrors.Read(0, detail, null)
            : new PollOutcome.Unknown("the webhook carries no reason");
    }

    private async Task<PollOutcome> ReadResultAsync(SubmissionRef submission, JsonElement status, CancellationToken cancellationToken)
    {
        var (code, result) = await GetAsync(Address(submission, submission.ResultUrl, ""), cancellationToken);
        if (IsSuccess(code))
        {
            return VideoUrl(result) is { } url ? new PollOutcome.Succeeded(url) : new PollOutcome.Failed(FailureKind.Unavailable, "the result has no video");
        }
        // 401, 403 and 429 are about our account and not about the job: it may still be fetched later.
        return code is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests
            ? new PollOutcome.Unknown($"the result answered {(int)code}")
            : FalErrors.Read((int)code, result, Text(status, "error_type"));
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string address, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, address);
        using var limit = Limit(Options.ReadTimeoutSeconds, cancellationToken);
        using var response = await clients.CreateClient("fal").SendAsync(request, limit.Token);
        var text = await response.Content.ReadAsStringAsync(limit.Token);
        try
        {
            return (response.StatusCode, JsonDocument.Parse(text.Length > MaxAnswerBytes ? "{}" : text).RootElement);
        }
        catch (JsonException) when (!response.IsSuccessStatusCode)
        {
            return (response.StatusCode, JsonDocument.Parse("{}").RootElement);
        }
    }

    /// <summary>The stored address if it is at the configured host (our key goes there), else the one made by fal's rule: owner and alias only.</summary>
    private string Address(SubmissionRef submission, string? stored, string suffix)
    {
        var queue = new Uri(Options.QueueUrl);
        if (Uri.TryCreate(stored, UriKind.Absolute, out var address) && address.Scheme == queue.Scheme && address.Authority == queue.Authority)
        {
            return stored!;
        }
        var parts = (submission.ProviderModelId ?? "").Split('/');
        var take = parts[0] is "workflows" or "comfy" ? 3 : 2;
        return $"{Options.QueueUrl.TrimEnd('/')}/{string.Join('/', parts.Take(take))}/requests/{Uri.EscapeDataString(submission.ProviderJobId)}{suffix}";
    }

    private HttpRequestMessage Request(HttpMethod method, string address) =>
        new(method, address)
        {
            Version = HttpVersion.Version11,
            Headers = { Authorization = new AuthenticationHeaderValue("Key", Options.ApiKey?.Trim()), Accept = { new("application/json") } },
        };

    private static SubmitOutcome ReadAccepted(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            return Text(root, "request_id") is { Length: > 0 and <= 200 } id
                ? new SubmitOutcome.Accepted(id, Text(root, "status_url"), Text(root, "response_url"), Text(root, "cancel_url"))
                : new SubmitOutcome.Ambiguous("the answer to the submission names no request");
        }
        catch (JsonException)
        {
            return new SubmitOutcome.Ambiguous("the answer to the submission is not JSON");
        }
    }

    private static SubmitOutcome ReadRefusal(HttpResponseMessage response, string text)
    {
        var status = (int)response.StatusCode;
        var reason = $"the submission answered {status}";
        return status switch
        {
            // A gateway may have lost the true answer.
            502 or 504 => new SubmitOutcome.Ambiguous(reason),
            401 or 403 => new SubmitOutcome.NotAccepted(reason, null, IsOurFault: true),
            408 or 429 or >= 500 => new SubmitOutcome.NotAccepted(reason, RetryAfter(response), false),
            422 or 400 when Parse(text) is { } body && FalErrors.Read(status, body, null) is PollOutcome.Failed failed => new SubmitOutcome.Rejected(
                failed.Kind,
                failed.Reason
            ),
            _ => new SubmitOutcome.Rejected(FailureKind.Unavailable, reason),
        };
    }

    private static double? RetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter?.Delta?.TotalSeconds ?? (response.Headers.RetryAfter?.Date - DateTimeOffset.UtcNow)?.TotalSeconds;

    private static JsonElement? Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text).RootElement;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? VideoUrl(JsonElement output) => Child(output, "video") is { } video ? Text(video, "url") : null;

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static JsonElement? Child(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    private static bool IsSuccess(HttpStatusCode status) => (int)status is >= 200 and < 300;

    private static bool IsTimeout(Exception error, CancellationToken ours) => error is OperationCanceledException && !ours.IsCancellationRequested;

    private static CancellationTokenSource Limit(double seconds, CancellationToken cancellationToken)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        return limit;
    }
}
