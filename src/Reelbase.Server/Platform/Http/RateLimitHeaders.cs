namespace Reelbase.Server.Platform.Http;

/// <summary>Shows the caller how much of a limit is left.</summary>
public static class RateLimitHeaders
{
    /// <summary>Sets <c>X-RateLimit-Limit</c>, <c>-Remaining</c> and <c>-Reset</c> (Unix seconds).</summary>
    public static void Set(HttpContext context, int? limit, int? remaining, DateTime? resetAt)
    {
        if (limit is null)
        {
            return;
        }
        var headers = context.Response.Headers;
        headers["X-RateLimit-Limit"] = limit.ToString();
        headers["X-RateLimit-Remaining"] = (remaining ?? 0).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (resetAt is { } time)
        {
            headers["X-RateLimit-Reset"] = new DateTimeOffset(time).ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}
