using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>fal.ai through its queue API. Source of the rules: fal's documents "Queue API", "Webhooks" and "Model errors".</summary>
/// <param name="name">fal, or the name of a model maker that is reached through fal.</param>
/// <param name="account">Addresses, key and user id.</param>
/// <param name="options">Limits and patience under that name.</param>
/// <param name="http">Calls.</param>
/// <param name="webhooks">Signatures.</param>
public sealed class FalProvider(string name, FalOptions account, VideoProviderOptions options, ProviderHttp http, FalWebhooks webhooks) : IVideoProvider
{
    /// <summary>No video costs as much; a header that says so is no bill.</summary>
    private const decimal MaxBilledUnits = 1_000_000;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public VideoProviderOptions Options => options;

    /// <inheritdoc/>
    public bool HasWebhooks => !string.IsNullOrEmpty(account.UserId);

    /// <inheritdoc/>
    public bool HasBills => true;

    /// <summary>Puts an adapter together.</summary>
    public static FalProvider Create(string name, FalOptions account, VideoProviderOptions options, IServiceProvider services) =>
        new(
            name,
            account,
            options,
            new ProviderHttp(name, options, services.GetRequiredService<IProviderHealthListener>(), services.GetRequiredService<ILogger<ProviderHttp>>()),
            services.GetRequiredService<FalWebhooks>()
        );

    /// <inheritdoc/>
    public Task<SubmitOutcome> SubmitAsync(GenerationInput input, string? webhookUrl, CancellationToken cancellationToken)
    {
        var address = $"{account.QueueUrl.TrimEnd('/')}/{input.ProviderModelId}";
        if (webhookUrl is not null)
        {
            address += "?fal_webhook=" + Uri.EscapeDataString(webhookUrl);
        }
        var request = Request(HttpMethod.Post, address);
        // Ask fal to keep nothing of ours for longer than it takes us to fetch the video.
        request.Headers.Add("X-Fal-Store-IO", "0");
        request.Headers.Add("X-Fal-Object-Lifecycle-Preference", """{"expiration_duration_seconds":86400}""");
        return http.SubmitAsync(request, FalInput.Build(input), ReadSubmission, cancellationToken);
    }

    /// <inheritdoc/>
    public ProviderRequest Preview(GenerationInput input) => new($"POST {account.QueueUrl.TrimEnd('/')}/{input.ProviderModelId}", FalInput.Build(input));

    /// <inheritdoc/>
    public async Task<PollOutcome> PollAsync(SubmissionRef submission, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.SendAsync("status", Request(HttpMethod.Get, Address(submission, submission.StatusUrl, "/status")), cancellationToken);
            if (!answer.IsSuccess)
            {
                return ReadRefusal("status", answer, null);
            }
            var status = answer.Json;
            return status.Text("status") switch
            {
                "IN_QUEUE" or "IN_PROGRESS" => new PollOutcome.Running(),
                // COMPLETED only means that there is nothing left to wait for.
                "COMPLETED" => await ReadResultAsync(submission, status, cancellationToken),
                var other => new PollOutcome.Unknown($"the status is {other ?? "missing"}"),
            };
        }
        catch (ProviderUnreachableException error)
        {
            return new PollOutcome.Unknown($"fal could not be asked: {error.Message}");
        }
    }

    /// <inheritdoc/>
    public async Task<bool> CancelAsync(SubmissionRef submission, CancellationToken cancellationToken)
    {
        try
        {
            return (await http.SendAsync("cancel", Request(HttpMethod.Put, Address(submission, submission.CancelUrl, "/cancel")), cancellationToken)).IsSuccess;
        }
        catch (ProviderUnreachableException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<ProbeOutcome> ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            // A request that never was: a working queue says so.
            var nobody = new SubmissionRef("fal-ai/probe", Guid.Empty.ToString());
            var answer = await http.SendAsync("probe", Request(HttpMethod.Get, Address(nobody, null, "/status")), cancellationToken);
            return new(answer.Status is < 500 and not (401 or 403 or 408 or 429), answer.Status is 401 or 403, $"the probe answered {answer.Status}");
        }
        catch (ProviderUnreachableException error)
        {
            return new(false, false, error.Message);
        }
    }

    /// <inheritdoc/>
    public Task<InboundEvent> VerifyWebhookAsync(IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellationToken) =>
        webhooks.VerifyAsync(headers, body, cancellationToken);

    /// <inheritdoc/>
    public PollOutcome ReadWebhook(JsonElement payload)
    {
        if (payload.Text("status") == "OK")
        {
            return payload.Child("payload") is { } output && VideoUrl(output) is { } url
                ? new PollOutcome.Succeeded(url)
                : new PollOutcome.Unknown("the webhook carries no usable result");
        }
        return payload.Text("status") == "ERROR" && payload.Child("payload") is { } detail
            ? FalErrors.Read(0, detail)
            : new PollOutcome.Unknown("the webhook carries no reason");
    }

    private async Task<PollOutcome> ReadResultAsync(SubmissionRef submission, JsonElement status, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync("result", Request(HttpMethod.Get, Address(submission, submission.ResultUrl, "")), cancellationToken);
        return answer.IsSuccess && VideoUrl(answer.Json) is { } url
            ? new PollOutcome.Succeeded(url, BilledUnits: BilledUnits(answer))
            : ReadRefusal("result", answer, status.Text("error_type"));
    }

    /// <summary>An answer without what was asked for: fal's verdict on the request, or nothing that one could go by, and then it is asked again.</summary>
    private static PollOutcome ReadRefusal(string call, ProviderResponse answer, string? errorType) =>
        answer.Status switch
        {
            // About our account and not about the job: it may still be fetched later.
            401 or 403 => new PollOutcome.Unknown($"the {call} answered {answer.Status}", IsOurFault: true),
            408 or 429 => new PollOutcome.Unknown($"the {call} answered {answer.Status}"),
            _ => (PollOutcome?)FalErrors.Verdict(answer, errorType)
                ?? new PollOutcome.Unknown($"the {call} answered {answer.Status} without a video or a reason"),
        };

    /// <summary>What fal has billed, in units of the endpoint; null when it does not say so.</summary>
    private static decimal? BilledUnits(ProviderResponse answer) =>
        decimal.TryParse(answer.Header("x-fal-billable-units"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var units)
        && units is >= 0 and < MaxBilledUnits
            ? units
            : null;

    private static SubmitOutcome ReadSubmission(ProviderResponse answer)
    {
        var reason = $"the submission answered {answer.Status}";
        if (answer.IsSuccess)
        {
            var body = answer.Json;
            return body.Text("request_id") is { Length: > 0 and <= 200 } id
                ? new SubmitOutcome.Accepted(id, body.Text("status_url"), body.Text("response_url"), body.Text("cancel_url"))
                : new SubmitOutcome.Ambiguous("the answer to the submission names no request");
        }
        return answer.Status switch
        {
            // An exhausted balance is a 403 at fal.
            401 or 403 => new SubmitOutcome.NotAccepted(reason, IsOurFault: true),
            429 or >= 500 => new SubmitOutcome.NotAccepted(reason, answer.RetryAfterSeconds),
            422 or 400 when FalErrors.Read(answer.Status, answer.Json) is var failed => new SubmitOutcome.Rejected(failed.Kind, failed.Reason),
            _ => new SubmitOutcome.Rejected(FailureKind.Unavailable, reason),
        };
    }

    /// <summary>The stored address if it is at the configured host (our key goes there), else the one made by fal's rule: owner and alias only.</summary>
    private string Address(SubmissionRef submission, string? stored, string suffix)
    {
        var queue = new Uri(account.QueueUrl);
        if (Uri.TryCreate(stored, UriKind.Absolute, out var address) && address.Scheme == queue.Scheme && address.Authority == queue.Authority)
        {
            return stored!;
        }
        var parts = (submission.ProviderModelId ?? "").Split('/');
        var take = parts[0] is "workflows" or "comfy" ? 3 : 2;
        return $"{account.QueueUrl.TrimEnd('/')}/{string.Join('/', parts.Take(take))}/requests/{Uri.EscapeDataString(submission.ProviderJobId)}{suffix}";
    }

    private HttpRequestMessage Request(HttpMethod method, string address) =>
        new(method, address)
        {
            Headers =
            {
                Authorization = new AuthenticationHeaderValue("Key", (options.ApiKey ?? account.ApiKey)?.Trim()),
                Accept = { new("application/json") },
            },
        };

    private static string? VideoUrl(JsonElement output) => FalErrors.Unwrap(output).Child("video")?.Text("url") is { Length: > 0 } url ? url : null;
}
