using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Reelbase.Client;

/// <summary>What the server refused, or what became of a request that got no usable response. Each code of the server's catalogue of errors has a type of its own below this one.</summary>
public class ReelbaseException : Exception
{
    internal ReelbaseException(ReelbaseError error)
        : base(error.Message, error.Cause) => Error = error;

    private ReelbaseError Error { get; }

    /// <summary><c>ERR_4001</c> and so on; a code of the auth or storage API; <c>network</c>, <c>timeout</c> or <c>http</c> when no error body came.</summary>
    public string Code => Error.Code;

    /// <summary>The HTTP status; 0 when there was no response.</summary>
    public int Status => Error.Status;

    /// <summary>Facts, such as <c>required</c> and <c>available</c> of an insufficient balance.</summary>
    public IReadOnlyDictionary<string, JsonElement> Details => Error.Details;

    /// <summary>How long the server asks to wait.</summary>
    public TimeSpan? RetryAfter => Error.RetryAfter;

    /// <summary>The trace id that finds the request in the server's logs.</summary>
    public string? RequestId => Error.RequestId;

    /// <summary>Reads any of the three error shapes: the API's own, the auth API's and the storage API's.</summary>
    internal static ReelbaseException From(int status, string body, RetryConditionHeaderValue? retryAfter)
    {
        var wait = retryAfter?.Delta ?? (retryAfter?.Date is { } date ? Max(date - DateTimeOffset.UtcNow) : null);
        var outer = ObjectOf(body);
        if (outer.TryGetValue("error", out var inner) && inner.ValueKind == JsonValueKind.Object)
        {
            var content = inner.EnumerateObject().ToDictionary(property => property.Name, property => property.Value, StringComparer.Ordinal);
            if (TextOf(content, "code") is { } code)
            {
                var details =
                    content.TryGetValue("details", out var facts) && facts.ValueKind == JsonValueKind.Object
                        ? facts.EnumerateObject().ToDictionary(property => property.Name, property => property.Value, StringComparer.Ordinal)
                        : [];
                return CatalogExceptions.Create(new(code, TextOf(content, "message") ?? code, status, details, wait, TextOf(content, "trace_id")));
            }
        }
        var other = TextOf(outer, "code") ?? TextOf(outer, "error_code") ?? TextOf(outer, "error") ?? "http";
        var message = TextOf(outer, "message") ?? TextOf(outer, "msg") ?? TextOf(outer, "error_description");
        return new(new(other, message ?? string.Create(CultureInfo.InvariantCulture, $"HTTP {status}"), status, ReelbaseError.NoDetails, wait));
    }

    private static TimeSpan Max(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait;

    private static Dictionary<string, JsonElement> ObjectOf(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object
                ? root.EnumerateObject().ToDictionary(property => property.Name, property => property.Value.Clone(), StringComparer.Ordinal)
                : [];
        }
        catch (Exception notOurs) when (notOurs is JsonException or ArgumentException)
        {
            return [];
        }
    }

    private static string? TextOf(Dictionary<string, JsonElement> from, string name) =>
        from.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>There was no response: <see cref="ReelbaseException.Code"/> is <c>network</c> or <c>timeout</c>. Whether the server acted is not known.</summary>
public sealed class NoResponseException : ReelbaseException
{
    internal NoResponseException(string code, string message, Exception? cause)
        : base(new(code, message, 0, ReelbaseError.NoDetails, Cause: cause)) { }
}

/// <summary>The server has ended the session, which is no longer kept: onboard again or sign in.</summary>
public sealed class SessionEndedException : ReelbaseException
{
    internal SessionEndedException(ReelbaseException refused)
        : base(new(refused.Code, refused.Message, refused.Status, refused.Details, refused.RetryAfter, refused.RequestId, refused)) { }
}

internal sealed record ReelbaseError(
    string Code,
    string Message,
    int Status,
    IReadOnlyDictionary<string, JsonElement> Details,
    TimeSpan? RetryAfter = null,
    string? RequestId = null,
    Exception? Cause = null
)
{
    public static readonly IReadOnlyDictionary<string, JsonElement> NoDetails = new Dictionary<string, JsonElement>();
}
