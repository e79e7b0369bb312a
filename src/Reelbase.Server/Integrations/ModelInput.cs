using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Reelbase.Server.Integrations;

/// <summary>
/// Writes a generation in the words of its model's vendor, as the model's row says (<c>models.provider_input</c>): the field of each setting and its type, the
/// picture's field, constants. An adapter knows its vendor's protocol and no model. The database has checked the row; what does not fit all the same is sent as it is,
/// and the vendor says what it thinks of it.
/// </summary>
public static class ModelInput
{
    /// <summary>The name of the member of an adapter's own default that lets settings through under their own names.</summary>
    private const string Others = "others";

    /// <summary>Adds what a row says to a request.</summary>
    /// <param name="body">The request; the adapter has put the prompt there.</param>
    /// <param name="input">The generation; a row that says nothing is written by <paramref name="plain"/>.</param>
    /// <param name="plain">How the adapter writes a model whose row says nothing about it.</param>
    public static JsonObject Write(JsonObject body, GenerationInput input, JsonElement plain)
    {
        var map = input.Map is { ValueKind: JsonValueKind.Object } given && given.EnumerateObject().Any() ? given : plain;
        foreach (var constant in Members(map.Child("always")))
        {
            body[constant.Name] = Copy(constant.Value);
        }
        if (input.ImageUrl is { } image && map.Child("picture") is { } picture && picture.Text("field") is { } field)
        {
            body[field] =
                picture.Text("as") == "first_frame" ? new JsonArray(new JsonObject { ["uri"] = image, ["position"] = "first" }) : JsonValue.Create(image);
        }
        var places = map.Child("settings");
        foreach (var setting in Members(input.Settings))
        {
            if (places?.Child(setting.Name) is { } place && place.Text("field") is { } name)
            {
                body[name] = Written(setting.Value, place);
            }
            else if (map.TryGetProperty(Others, out var others) && others.ValueKind == JsonValueKind.True)
            {
                body[setting.Name] = Copy(setting.Value);
            }
        }
        foreach (var combined in map.Items("combined") ?? [])
        {
            if (combined.Text("field") is { } target && Chosen(combined, input.Settings) is { } value)
            {
                body[target] = Copy(value);
            }
        }
        return body;
    }

    /// <summary>The value for all of the options together, else for the first ones of them, else the default.</summary>
    private static JsonElement? Chosen(JsonElement combined, JsonElement settings)
    {
        var values = combined.Child("values");
        var options = (combined.Items("settings") ?? []).Select(name => Text(settings, name.AsText())).ToList();
        for (var count = options.Count; count > 0; count--)
        {
            if (values is { } known && known.TryGetProperty(string.Join('|', options.Take(count)), out var value))
            {
                return value;
            }
        }
        return combined.TryGetProperty("default", out var otherwise) ? otherwise : null;
    }

    private static string Text(JsonElement settings, string? name) =>
        name is not null && settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static JsonNode? Written(JsonElement value, JsonElement place)
    {
        if (place.Child("values") is { } values && values.TryGetProperty(Key(value), out var sent))
        {
            return Copy(sent);
        }
        return (place.Text("type"), value.ValueKind) switch
        {
            ("integer", JsonValueKind.Number) when value.TryGetDecimal(out var number) && number == decimal.Truncate(number) => JsonValue.Create((long)number),
            ("digits", JsonValueKind.Number) when value.TryGetDecimal(out var number) => JsonValue.Create(
                decimal.Truncate(number).ToString(CultureInfo.InvariantCulture) + place.Text("suffix")
            ),
            ("text", JsonValueKind.Number) => JsonValue.Create(value.GetRawText()),
            _ => Copy(value),
        };
    }

    /// <summary>An option as PostgreSQL writes it as a text, which is what the row's names are.</summary>
    private static string Key(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()!
        : value.ValueKind is JsonValueKind.True ? "true"
        : value.ValueKind is JsonValueKind.False ? "false"
        : value.GetRawText();

    private static JsonNode? Copy(JsonElement value) => JsonNode.Parse(value.GetRawText());

    private static IEnumerable<JsonProperty> Members(JsonElement? element) =>
        element is { ValueKind: JsonValueKind.Object } found ? found.EnumerateObject() : [];
}
