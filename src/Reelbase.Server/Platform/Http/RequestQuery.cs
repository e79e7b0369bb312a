using System.Globalization;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Http;

/// <summary>Reads values of a query by our rules.</summary>
public static class RequestQuery
{
    /// <summary>A text value, or null when it is absent or empty.</summary>
    public static string? Text(HttpContext context, string name, int maxLength)
    {
        var value = context.Request.Query[name].FirstOrDefault();
        if (string.IsNullOrEmpty(value))
        {
            return null;
        }
        return value.Length <= maxLength && Json.NullIfUnstorable(value) is { } text
            ? text
            : throw ApiException.Field(ErrorCodes.MalformedRequest, name, "not_valid_text");
    }

    /// <summary>A whole number within bounds, or the default when absent.</summary>
    public static long? Number(HttpContext context, string name, long min, long max)
    {
        var value = context.Request.Query[name].FirstOrDefault();
        if (string.IsNullOrEmpty(value))
        {
            return null;
        }
        return long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new ApiException(
                ErrorCodes.MalformedRequest,
                new
                {
                    field = name,
                    reason = "out_of_range",
                    min,
                    max,
                }
            );
    }
}
