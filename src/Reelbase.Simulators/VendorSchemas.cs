using System.Text.Json;

namespace Reelbase.Simulators;

/// <summary>What is wrong with a model's input, in Pydantic's word for it.</summary>
/// <param name="Field">Which member.</param>
/// <param name="Type">missing, literal_error, extra_forbidden ...</param>
/// <param name="Message">For people.</param>
/// <param name="Expected">The options, where it is not one of them.</param>
public sealed record SchemaFault(string Field, string Type, string Message, string? Expected = null);

/// <summary>
/// What the vendors' endpoints take, as data (<c>Schemas/*.json</c>): for each endpoint its schema, where that was read and on which day. The simulators refuse what
/// does not fit, and a test holds the request of every model row against it.
/// </summary>
public sealed class VendorSchemas
{
    private readonly Dictionary<string, JsonElement> _endpoints;

    private VendorSchemas(string vendor)
    {
        using var stream = typeof(VendorSchemas).Assembly.GetManifestResourceStream($"Reelbase.Simulators.Schemas.{vendor}.json")!;
        using var document = JsonDocument.Parse(stream);
        _endpoints = document.RootElement.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.Clone(), StringComparer.Ordinal);
    }

    /// <summary>fal's endpoints, by their id.</summary>
    public static VendorSchemas Fal { get; } = new("fal");

    /// <summary>Runway's, by the last part of the path and the model.</summary>
    public static VendorSchemas Runway { get; } = new("runway");

    /// <summary>All of them, with their source and date.</summary>
    public IReadOnlyDictionary<string, JsonElement> Endpoints => _endpoints;

    /// <summary>Whether there is such an endpoint.</summary>
    public bool Has(string endpoint) => _endpoints.ContainsKey(endpoint);

    /// <summary>The schema of an endpoint's input.</summary>
    public JsonElement InputOf(string endpoint) => _endpoints[endpoint].GetProperty("schema");

    /// <summary>The first fault of an input, or null.</summary>
    public SchemaFault? FindFault(string endpoint, JsonElement input)
    {
        if (input.ValueKind != JsonValueKind.Object)
        {
            return new("", "model_attributes_type", "Input should be a valid dictionary or object to extract fields from");
        }
        var schema = InputOf(endpoint);
        var properties = schema.GetProperty("properties");
        foreach (var name in schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()!))
        {
            if (!input.TryGetProperty(name, out _))
            {
                return new(name, "missing", "Field required");
            }
        }
        foreach (var member in input.EnumerateObject())
        {
            var fault = properties.TryGetProperty(member.Name, out var property)
                ? Judge(member, property)
                : new(member.Name, "extra_forbidden", "Extra inputs are not permitted");
            if (fault is not null)
            {
                return fault;
            }
        }
        return null;
    }

    private static SchemaFault? Judge(JsonProperty member, JsonElement property)
    {
        var (name, value) = (member.Name, member.Value);
        var type = property.GetProperty("type").GetString();
        if (property.TryGetProperty("enum", out var options))
        {
            var expected = string.Join(" or ", options.EnumerateArray().Select(option => option.ToString()).Select(option => $"'{option}'"));
            return options.EnumerateArray().Any(option => option.ValueKind == value.ValueKind && option.GetRawText() == value.GetRawText())
                ? null
                : new(name, "literal_error", $"Input should be {expected}", expected);
        }
        return type switch
        {
            "string" when value.ValueKind != JsonValueKind.String => new(name, "string_type", "Input should be a valid string"),
            "string" => JudgeText(name, value.GetString()!, property),
            "integer" when value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out _) => new(name, "int_type", "Input should be a valid integer"),
            "integer" or "number" when value.ValueKind == JsonValueKind.Number => JudgeNumber(name, value.GetDouble(), property),
            "number" => new(name, "float_type", "Input should be a valid number"),
            "boolean" when value.ValueKind is not (JsonValueKind.True or JsonValueKind.False) => new(name, "bool_type", "Input should be a valid boolean"),
            "array" when value.ValueKind != JsonValueKind.Array => new(name, "list_type", "Input should be a valid list"),
            "object" when value.ValueKind != JsonValueKind.Object => new(name, "dict_type", "Input should be a valid dictionary"),
            "picture" => JudgePicture(name, value),
            _ => null,
        };
    }

    private static SchemaFault? JudgeText(string name, string text, JsonElement property) =>
        property.TryGetProperty("minLength", out var min) && text.Length < min.GetInt32()
            ? new(name, "string_too_short", $"String should have at least {min} characters")
        : property.TryGetProperty("maxLength", out var max) && text.Length > max.GetInt32()
            ? new(name, "string_too_long", $"String should have at most {max} characters")
        : null;

    private static SchemaFault? JudgeNumber(string name, double number, JsonElement property) =>
        property.TryGetProperty("minimum", out var min) && number < min.GetDouble()
            ? new(name, "greater_than_equal", $"Input should be greater than or equal to {min}")
        : property.TryGetProperty("maximum", out var max) && number > max.GetDouble()
            ? new(name, "less_than_equal", $"Input should be less than or equal to {max}")
        : null;

    /// <summary>Runway's: an address, or an array of addresses with their positions.</summary>
    private static SchemaFault? JudgePicture(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.String
        || (
            value.ValueKind == JsonValueKind.Array
            && value.GetArrayLength() > 0
            && value.EnumerateArray().All(picture => picture.ValueKind == JsonValueKind.Object && picture.TryGetProperty("uri", out _))
        )
            ? null
            : new(name, "invalid_union", "Invalid input");
}
