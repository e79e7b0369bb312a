using System.Text.Json;

namespace Reelbase.Tests.Support;

/// <summary>Compares JSON with a schema of the API document, as far as that document uses JSON Schema.</summary>
public sealed class Schemas(JsonElement document)
{
    private const int MaxDepth = 32;

    /// <summary>What of a value is not as its schema says; empty when all is.</summary>
    public List<string> Faults(JsonElement value, JsonElement schema, string path = "$", int depth = 0)
    {
        var faults = new List<string>();
        if (depth > MaxDepth)
        {
            return ["too deep"];
        }
        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Faults(value, Follow(reference.GetString()!), path, depth + 1);
        }
        foreach (var choice in new[] { "oneOf", "anyOf" })
        {
            if (schema.TryGetProperty(choice, out var choices))
            {
                return choices.EnumerateArray().Any(one => Faults(value, one, path, depth + 1).Count == 0) ? [] : [$"{path} fits none of {choice}"];
            }
        }
        if (schema.TryGetProperty("type", out var type))
        {
            var types = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(one => one.GetString()!).ToList() : [type.GetString()!];
            if (!types.Any(one => Is(value, one)))
            {
                return [$"{path} is {value.ValueKind} where {string.Join(" or ", types)} is said"];
            }
        }
        if (value.ValueKind == JsonValueKind.Object)
        {
            if (schema.TryGetProperty("required", out var required))
            {
                faults.AddRange(
                    required.EnumerateArray().Where(name => !value.TryGetProperty(name.GetString()!, out _)).Select(name => $"{path}.{name} is missing")
                );
            }
            if (schema.TryGetProperty("properties", out var properties))
            {
                foreach (var member in value.EnumerateObject())
                {
                    if (properties.TryGetProperty(member.Name, out var inner))
                    {
                        faults.AddRange(Faults(member.Value, inner, $"{path}.{member.Name}", depth + 1));
                    }
                    else
                    {
                        faults.Add($"{path}.{member.Name} is not in the document");
                    }
                }
            }
        }
        if (value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out var items))
        {
            faults.AddRange(value.EnumerateArray().SelectMany((item, index) => Faults(item, items, $"{path}[{index}]", depth + 1)));
        }
        return faults;
    }

    private JsonElement Follow(string reference)
    {
        var at = document;
        foreach (var part in reference.TrimStart('#', '/').Split('/'))
        {
            at = at.GetProperty(part);
        }
        return at;
    }

    private static bool Is(JsonElement value, string type) =>
        type switch
        {
            "null" => value.ValueKind == JsonValueKind.Null,
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            "number" => value.ValueKind == JsonValueKind.Number,
            "array" => value.ValueKind == JsonValueKind.Array,
            "object" => value.ValueKind == JsonValueKind.Object,
            _ => false,
        };
}
