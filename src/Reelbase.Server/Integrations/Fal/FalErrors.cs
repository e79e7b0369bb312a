using System.Text.Json;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>fal's error shapes in our words. Decided by <c>type</c> and <c>error_type</c>, never by messages, which can echo a user's prompt.</summary>
public static class FalErrors
{
    /// <summary>
    /// What an answer to a status or a result call says of the request's end, or null when it is not in fal's own shape: an <c>error_type</c>, the
    /// header <c>X-Fal-Error-Type</c>, a typed <c>detail</c>. Anything else (a bare status, a page for people) is a gateway's word and ends nothing.
    /// </summary>
    /// <param name="answer">The answer.</param>
    /// <param name="errorType">The <c>error_type</c> of the status object, where there is one.</param>
    public static PollOutcome.Failed? Verdict(ProviderResponse answer, string? errorType)
    {
        var body = Unwrap(answer.Json);
        var type = Given(errorType) ?? Given(body.Text("error_type")) ?? Given(answer.Header("X-Fal-Error-Type")) ?? DetailType(body);
        // Some models refuse their input with a plain text; no gateway answers 422 in JSON.
        return type is not null || (answer.Status == 422 && body.Text("detail") is not null) ? Failure(answer.Status, body, type) : null;
    }

    /// <summary>What a webhook or a refused submission says; <paramref name="status"/> is 0 for a webhook, which carries none.</summary>
    public static PollOutcome.Failed Read(int status, JsonElement body)
    {
        body = Unwrap(body);
        return Failure(status, body, Given(body.Text("error_type")) ?? DetailType(body));
    }

    /// <summary>The model's output or error itself; some answers wrap it in <c>response</c>.</summary>
    public static JsonElement Unwrap(JsonElement body) => body.Child("response") ?? body;

    private static PollOutcome.Failed Failure(int status, JsonElement body, string? type)
    {
        var kind = type switch
        {
            "client_cancelled" => FailureKind.Cancelled,
            "content_policy_violation" or "no_media_generated" => FailureKind.ContentRejected,
            "request_timeout" or "startup_timeout" or "generation_timeout" => FailureKind.Timeout,
            "internal_server_error" or "internal_error" or "downstream_service_error" or "downstream_service_unavailable" or "runner_scheduling_failure" =>
                FailureKind.Unavailable,
            not null when type.StartsWith("runner_", StringComparison.Ordinal) => FailureKind.Unavailable,
            "bad_request" => FailureKind.InputRefused,
            _ when status is 422 or 400 => FailureKind.InputRefused,
            // Details with a type of their own are the model's complaints about its input, unless it says that the fault is its own.
            not null when status < 500 && DetailType(body) == type => FailureKind.InputRefused,
            _ => FailureKind.Unavailable,
        };
        return new PollOutcome.Failed(kind, $"fal: {type ?? "no type"} ({status})");
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private static string? DetailType(JsonElement body) => body.Items("detail") is { Count: > 0 } details ? Given(details[0].Text("type")) : null;
}
