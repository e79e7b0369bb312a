using System.Net.Http.Headers;
using System.Text.Json;

namespace Reelbase.Server.Integrations.Runway;

/// <summary>Runway's tasks. Source of the rules: Runway's API documents "HTTP errors", "Handle task failures" and "API input parameters".</summary>
public sealed class RunwayProvider(RunwayOptions options, ProviderHttp http) : IVideoProvider
{
    /// <summary>The only version of the API; sent with every call.</summary>
    private const string ApiVersion = "2024-11-06";
    private const long MicrosPerCredit = 10_000;

    /// <inheritdoc/>
    public string Name => "runway";

    /// <inheritdoc/>
    public VideoProviderOptions Options => options;

    /// <inheritdoc/>
    public bool HasWebhooks => false;

    /// <inheritdoc/>
    public bool HasBills => true;

    /// <inheritdoc/>
    public Task<SubmitOutcome> SubmitAsync(GenerationInput input, string? webhookUrl, CancellationToken cancellationToken) =>
        http.SubmitAsync(Request(HttpMethod.Post, RunwayInput.Path(input)), RunwayInput.Build(input), ReadSubmission, cancellationToken);

    /// <inheritdoc/>
    public ProviderRequest Preview(GenerationInput input) => new($"POST {options.BaseUrl.TrimEnd('/')}{RunwayInput.Path(input)}", RunwayInput.Build(input));

    /// <inheritdoc/>
    public async Task<PollOutcome> PollAsync(SubmissionRef submission, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.SendAsync("status", Request(HttpMethod.Get, TaskPath(submission)), cancellationToken);
            return answer.Status switch
            {
                // Cancelling also deletes: a task that is gone after that, in Runway's own words, was cancelled.
                404 when submission.IsCancelling && answer.Json.Text("error") is not null => new PollOutcome.Failed(
                    FailureKind.Cancelled,
                    "runway: cancelled and gone"
                ),
                >= 200 and < 300 => ReadTask(answer.Json),
                _ => new PollOutcome.Unknown($"the task answered {answer.Status}", answer.Status is 401 or 403),
            };
        }
        catch (ProviderUnreachableException error)
        {
            return new PollOutcome.Unknown($"runway could not be asked: {error.Message}");
        }
    }

    /// <inheritdoc/>
    public async Task<bool> CancelAsync(SubmissionRef submission, CancellationToken cancellationToken)
    {
        try
        {
            return (await http.SendAsync("cancel", Request(HttpMethod.Delete, TaskPath(submission)), cancellationToken)).IsSuccess;
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
            var answer = await http.SendAsync("probe", Request(HttpMethod.Get, "/v1/organization"), cancellationToken);
            return new(answer.IsSuccess, answer.Status is 401 or 403, $"the probe answered {answer.Status}");
        }
        catch (ProviderUnreachableException error)
        {
            return new(false, false, error.Message);
        }
    }

    /// <summary>Runway sends none, so none is believed.</summary>
    public Task<InboundEvent> VerifyWebhookAsync(IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellationToken) =>
        Task.FromResult<InboundEvent>(new InboundEvent.Unproven());

    /// <inheritdoc/>
    public PollOutcome ReadWebhook(JsonElement payload) => new PollOutcome.Unknown("runway sends no webhooks");

    private static PollOutcome ReadTask(JsonElement task)
    {
        var billed = task.Child("cost")?.Number("credits") is { } credits and >= 0 and < 1_000_000 ? (decimal?)credits : null;
        var cost = (long?)(billed * MicrosPerCredit);
        return task.Text("status") switch
        {
            // THROTTLED is accepted and waiting for our own concurrency, not an error.
            "PENDING" or "THROTTLED" or "RUNNING" => new PollOutcome.Running(),
            "SUCCEEDED" => Output(task) is { } url
                ? new PollOutcome.Succeeded(url, cost, billed)
                : new PollOutcome.Unknown("the task succeeded without output"),
            "FAILED" => new PollOutcome.Failed(RunwayErrors.Kind(task.Text("failureCode")), $"runway: {task.Text("failureCode") ?? "no code"}", cost),
            "CANCELLED" or "CANCELED" => new PollOutcome.Failed(FailureKind.Cancelled, "runway: cancelled", cost),
            var other => new PollOutcome.Unknown($"the status is {other ?? "missing"}"),
        };
    }

    private static SubmitOutcome ReadSubmission(ProviderResponse answer)
    {
        var reason = $"the submission answered {answer.Status}";
        if (answer.IsSuccess)
        {
            return answer.Json.Text("id") is { Length: > 0 and <= 200 } id
                ? new SubmitOutcome.Accepted(id)
                : new SubmitOutcome.Ambiguous("the answer to the submission names no task");
        }
        return answer.Status switch
        {
            401 or 403 => new SubmitOutcome.NotAccepted(reason, IsOurFault: true),
            // There is no 402: an empty account is a 400 with these words.
            400 when RunwayErrors.IsEmptyAccount(answer.Json) => new SubmitOutcome.NotAccepted(reason + ": not enough credits", IsOurFault: true),
            400 or 422 => new SubmitOutcome.Rejected(FailureKind.InputRefused, reason),
            429 or >= 500 => new SubmitOutcome.NotAccepted(reason, answer.RetryAfterSeconds),
            _ => new SubmitOutcome.Rejected(FailureKind.Unavailable, reason),
        };
    }

    private static string? Output(JsonElement task) => task.Items("output") is { Count: > 0 } output && output[0].AsText() is { Length: > 0 } url ? url : null;

    private static string TaskPath(SubmissionRef submission) => $"/v1/tasks/{Uri.EscapeDataString(submission.ProviderJobId)}";

    private HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, options.BaseUrl.TrimEnd('/') + path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiKey?.Trim());
        request.Headers.Accept.Add(new("application/json"));
        request.Headers.Add("X-Runway-Version", ApiVersion);
        return request;
    }
}
