namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>What goes back to the client.</summary>
internal sealed class RestResponse
{
    public required int Status { get; init; }

    /// <summary>Null: no body and no length of one.</summary>
    public string? Body { get; init; }

    /// <summary>Whether the length of an empty body is said.</summary>
    public bool SaysEmpty { get; init; }

    public string? ContentType { get; init; }

    public Dictionary<string, string> Headers { get; } = [];

    public RestResponse With(string name, string? value)
    {
        if (value is not null)
        {
            Headers[name] = value;
        }
        return this;
    }
}

/// <summary>A request to a table, as far as it has been read.</summary>
internal sealed record RestRequest(
    string Method,
    string Schema,
    string Table,
    RestQuery Query,
    RestPreferences Preferences,
    RestMedia Media,
    RowRange Range,
    RestPayload? Payload
)
{
    public bool IsRead => Method is "GET" or "HEAD";
}
