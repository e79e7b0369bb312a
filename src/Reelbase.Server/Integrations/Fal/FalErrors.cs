using System.Text.Json;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>fal's two error shapes in our words. Decided by <c>type</c> and <c>error_type</c>, never by messages, which can echo a user's prompt.</summary>
public static class FalErrors
{
    /// <summary>Reads an error body. <paramref name="errorType"/> is the status object's, where there is one.</summary>
    public static PollOutcome.Failed Read(int status, JsonElement body, string? errorType)
    {
        var type = errorType ?? Find(body, "error_type") ?? FirstDetailType(body);
        var hasDetails = body.ValueKind == JsonValueKind.Object && body.TryGetProperty("detail", out var detail) && detail.ValueKind == JsonValueKind.Array;
        var kind = type switch
        {
            "client_cancelled" => FailureKind.Cancelled,
            "content_policy_violation" or "no_media_generated" => FailureKind.ContentRejected,
            "request_timeout" or "startup_timeout" or "generation_timeout" => FailureKind.Timeout,
            null when status == 504 => FailureKind.Timeout,
            "internal_server_error" or "internal_error" or "downstream_service_error" or "downstream_service_unavailable" or "runner_scheduling_failure" =>
                FailureKind.Unavailable,
            not null when type.StartsWith("runner_", StringComparison.Ordinal) => FailureKind.Unavailable,
            "bad_request" => FailureKind.InputRefused,
            _ when status is 422 or 400 => FailureKind.InputRefused,
            // A webhook carries no status: details with a type of their own are the model's complaints about its input.
            not null when status == 0 && hasDetails => FailureKind.InputRefused,
            _ => FailureKind.Unavailable,
        };
        return new PollOutcome.Failed(kind, $"fal: {type ?? "no type"} ({status})");
    }

    private static string? Find(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static string? FirstDetailType(JsonElement body) =>
        body.ValueKind == JsonValueKind.Object
        && body.TryGetProperty("detail", out var detail)
        && detail.ValueKind == JsonValueKind.Array
        && detail.GetArrayLength() > 0
            ? Find(detail[0], "type")
            : null;
}
