using System.Text.Json;

namespace Reelbase.Server.Integrations;

/// <summary>Reading JSON of others: what is missing or of another kind is null, never an exception.</summary>
public static class ProviderJson
{
    /// <summary>A text member that the database can hold; one with a NUL or half of a surrogate pair is none.</summary>
    public static string? Text(this JsonElement element, string name) => element.Member(name, JsonValueKind.String)?.AsText();

    /// <summary>An element as a text, under the same rule.</summary>
    public static string? AsText(this JsonElement element)
    {
        try
        {
            return element.ValueKind == JsonValueKind.String ? Platform.Http.Json.NullIfUnstorable(element.GetString()!) : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or bytes that are no UTF-8.
            return null;
        }
    }

    /// <summary>An object member.</summary>
    public static JsonElement? Child(this JsonElement element, string name) => element.Member(name, JsonValueKind.Object);

    /// <summary>The elements of an array member.</summary>
    public static IReadOnlyList<JsonElement>? Items(this JsonElement element, string name) =>
        element.Member(name, JsonValueKind.Array) is { } array ? [.. array.EnumerateArray()] : null;

    /// <summary>A number member.</summary>
    public static double? Number(this JsonElement element, string name) =>
        element.Member(name, JsonValueKind.Number) is { } value && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;

    private static JsonElement? Member(this JsonElement element, string name, JsonValueKind kind)
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == kind ? value : null;
        }
        catch (InvalidOperationException)
        {
            // The name of another member cannot be read.
            return null;
        }
    }
}
