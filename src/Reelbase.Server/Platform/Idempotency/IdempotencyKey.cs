using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Idempotency;

/// <summary>The key by which a caller repeats a request without doing it twice, in the one form that is taken, and how a repeated answer is marked.</summary>
public static class IdempotencyKey
{
    /// <summary>The header of the request.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>The header of an answer that was given before.</summary>
    public const string ReplayHeader = "X-Idempotent-Replay";

    /// <summary>The key of a request that needs one.</summary>
    /// <exception cref="ApiException">ERR_4008: it is missing, or no UUID.</exception>
    public static Guid Require(HttpContext context) => Read(context) ?? throw new ApiException(ErrorCodes.IdempotencyKeyMissing, new { reason = "missing" });

    /// <summary>The key of a request that may have one; null when it has none.</summary>
    /// <exception cref="ApiException">ERR_4008: it is no UUID.</exception>
    public static Guid? Read(HttpContext context) =>
        TryRead(context, out var key) ? key
        : context.Request.Headers[Header].Count == 0 ? null
        : throw new ApiException(ErrorCodes.IdempotencyKeyMissing, new { reason = "not_a_uuid" });

    /// <summary>The key, for whoever leaves it to others to refuse.</summary>
    public static bool TryRead(HttpContext context, out Guid key)
    {
        key = default;
        var values = context.Request.Headers[Header];
        return values.Count == 1 && Guid.TryParseExact(values[0], "D", out key);
    }

    /// <summary>Says in the answer whether it was given before.</summary>
    public static void Mark(HttpContext context, bool isReplay)
    {
        if (isReplay)
        {
            context.Response.Headers[ReplayHeader] = "true";
        }
    }
}
