using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>What was read of an endpoint's document: the fields of a model's row, and what somebody should check.</summary>
/// <param name="Fields">name, category, required_fields, provider_input, has_audio.</param>
/// <param name="Remarks">What could not be taken over or has to be known.</param>
public sealed record ReadEndpoint(JsonObject Fields, IReadOnlyList<string> Remarks);

/// <summary>
/// Makes a model's row of the OpenAPI document that fal publishes for an endpoint. It goes by the names and types of fields; it knows no model. What it does not
/// understand and the endpoint requires is an error, since such a row would fail every press.
/// </summary>
public static partial class FalOpenApi
{
    private const int MaxOptions = 60;
    private const int MaxSeconds = 60;

    /// <summary>Reads a document.</summary>
    /// <exception cref="FormatException">It is no such document, or its endpoint cannot be used.</exception>
    public static ReadEndpoint Read(string endpoint, JsonElement document)
    {
        var input = InputOf(document) ?? throw new FormatException("the document has no POST with a JSON body: is it the OpenAPI document of an endpoint?");
        var required = (input.Items("required") ?? []).Select(name => name.AsText()).ToHashSet(StringComparer.Ordinal);
        var properties =
            input
                .Child("properties")
                ?.EnumerateObject()
                .ToDictionary(property => property.Name, property => Resolved(document, property.Value), StringComparer.Ordinal)
            ?? [];
        if (!properties.ContainsKey("prompt"))
        {
            throw new FormatException("the endpoint takes no prompt");
        }
        var (settings, places, always, remarks) = (new JsonObject(), new JsonObject(), new JsonObject(), new List<string>());
        var used = new HashSet<string>(StringComparer.Ordinal) { "prompt" };
        var picture = properties.Keys.Where(name => Picture().IsMatch(name)).OrderByDescending(required.Contains).ThenBy(name => name.Length).FirstOrDefault();
        if (picture is not null)
        {
            used.Add(picture);
        }
        Add("duration", "duration", ReadDuration);
        Add("resolution", "resolution", ReadResolution);
        Add("aspect_ratio", "aspect_ratio", ReadOptions);
        var sound = properties.Keys.FirstOrDefault(name => Sound().IsMatch(name) && properties[name].Text("type") == "boolean");
        if (sound is not null)
        {
            Add("audio", sound, _ => (Json("""{"default":false,"type":"boolean","options":[true,false]}"""), Json("""{"type":"boolean"}""")));
            remarks.Add($"{sound} is off unless a user asks for it; look up whether sound costs more and give it a surcharge.");
        }
        foreach (var name in required.Where(name => name is not null && !used.Contains(name)))
        {
            var property = properties.GetValueOrDefault(name!);
            var value =
                Given(property, "default")
                ?? Given(property, "const")
                ?? Last(property)
                ?? throw new FormatException($"the endpoint requires {name}, for which there is no setting and no default");
            always[name!] = JsonNode.Parse(value.GetRawText());
            used.Add(name!);
            remarks.Add($"{name} is required and is always sent as {value.GetRawText()}.");
        }
        remarks.AddRange(properties.Keys.Where(name => !used.Contains(name)).Order(StringComparer.Ordinal).Select(name => $"{name} is left to its default."));
        var isPictureNeeded = picture is not null && (required.Contains(picture) || endpoint.Contains("image-to-video", StringComparison.Ordinal));
        var map = new JsonObject { ["settings"] = places };
        if (picture is not null)
        {
            map["picture"] = new JsonObject { ["field"] = picture };
        }
        if (always.Count > 0)
        {
            map["always"] = always;
        }
        return new(
            new JsonObject
            {
                ["name"] = endpoint.Length <= 100 ? endpoint : endpoint[^100..],
                ["category"] = isPictureNeeded ? "image_to_video" : "text_to_video",
                ["provider"] = "fal",
                ["provider_model_id"] = endpoint,
                ["has_audio"] = sound is not null,
                ["required_fields"] = new JsonObject
                {
                    ["requires_prompt"] = true,
                    ["requires_image"] = isPictureNeeded,
                    ["requires_settings"] = settings.Count > 0,
                    ["settings"] = settings,
                },
                ["provider_input"] = map,
            },
            remarks
        );

        void Add(string setting, string field, Func<JsonElement, (JsonObject Spec, JsonObject Place)?> read)
        {
            if (properties.TryGetValue(field, out var property) && read(property) is var (spec, place))
            {
                settings[setting] = spec;
                place["field"] = field;
                places[setting] = place;
                used.Add(field);
            }
        }
    }

    /// <summary>Whole seconds, however they are written; null when none are listed.</summary>
    private static (JsonObject, JsonObject)? ReadDuration(JsonElement property)
    {
        var listed = property.Items("enum") ?? [];
        List<int> options;
        var place = new JsonObject();
        if (listed.Any(option => option.ValueKind == JsonValueKind.String) || property.Text("type") == "string")
        {
            var read = listed.Select(option => Seconds().Match(option.AsText() ?? "")).Where(match => match.Success).ToList();
            options = [.. read.Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture))];
            place["type"] = "digits";
            if (read.FirstOrDefault()?.Groups[2].Value is { Length: > 0 } suffix)
            {
                place["suffix"] = suffix;
            }
        }
        else
        {
            place["type"] = "integer";
            options =
                listed.Count > 0
                    ? [.. listed.Where(option => option.ValueKind == JsonValueKind.Number && option.TryGetInt32(out _)).Select(option => option.GetInt32())]
                    : Range(
                        property.Number("minimum") ?? property.Number("exclusiveMinimum") + 1,
                        property.Number("maximum") ?? property.Number("exclusiveMaximum") - 1
                    );
        }
        options = [.. options.Where(seconds => seconds is >= 1 and <= MaxSeconds).Distinct().Order().Take(MaxOptions)];
        if (options.Count == 0)
        {
            return null;
        }
        var given =
            property.TryGetProperty("default", out var value) && int.TryParse(Seconds().Match(value.ToString()).Groups[1].ValueSpan, out var seconds)
                ? seconds
                : 0;
        return (
            new JsonObject
            {
                ["required"] = true,
                ["default"] = options.Contains(given) ? given : options[0],
                ["options"] = new JsonArray([.. options.Select(option => JsonValue.Create(option))]),
            },
            place
        );
    }

    /// <summary>Apps say 720p; what an endpoint calls 720P or 768P keeps its own name in the request.</summary>
    private static (JsonObject, JsonObject)? ReadResolution(JsonElement property)
    {
        if (ReadOptions(property) is not var (spec, place))
        {
            return null;
        }
        var values = new JsonObject();
        var options = spec["options"]!.AsArray().Select(option => (string)option!).ToList();
        var ours = options.ConvertAll(option => option.ToLowerInvariant());
        foreach (var (option, our) in options.Zip(ours).Where(pair => pair.First != pair.Second))
        {
            values[our] = option;
        }
        if (values.Count > 0)
        {
            place["values"] = values;
        }
        spec["options"] = new JsonArray([.. ours.Select(option => JsonValue.Create(option))]);
        // The default of an endpoint may be its dearest; a press that names no option gets what phones send.
        spec["default"] = ours.Contains("720p") ? "720p" : ((string)spec["default"]!).ToLowerInvariant();
        return (spec, place);
    }

    private static (JsonObject, JsonObject)? ReadOptions(JsonElement property)
    {
        var options = (property.Items("enum") ?? []).Select(option => option.AsText()).OfType<string>().Take(MaxOptions).ToList();
        if (options.Count == 0)
        {
            return null;
        }
        var given = property.Text("default");
        return (
            new JsonObject
            {
                ["default"] = given is not null && options.Contains(given) ? given : options[0],
                ["options"] = new JsonArray([.. options.Select(option => JsonValue.Create(option))]),
            },
            new JsonObject { ["type"] = "text" }
        );
    }

    private static List<int> Range(double? from, double? to) =>
        from is { } first && to is { } last && last - first is >= 0 and < 10_000
            ? [.. Enumerable.Range((int)Math.Ceiling(first), (int)Math.Floor(last) - (int)Math.Ceiling(first) + 1)]
            : [];

    /// <summary>The body of the call that submits: of the other paths, all are about a request that there is already.</summary>
    private static JsonElement? InputOf(JsonElement document)
    {
        foreach (var path in document.Child("paths")?.EnumerateObject() ?? default)
        {
            if (
                !path.Name.Contains("/requests/", StringComparison.Ordinal)
                && path.Value.Child("post")?.Child("requestBody")?.Child("content")?.Child("application/json")?.Child("schema") is { } schema
            )
            {
                return Resolved(document, schema);
            }
        }
        return null;
    }

    /// <summary>References and alternatives inside each other; a document that refers to itself ends here.</summary>
    private const int MaxReferences = 8;

    /// <summary>A schema without its references; of alternatives the first that is not null.</summary>
    private static JsonElement Resolved(JsonElement document, JsonElement schema, int depth = 0)
    {
        for (; depth < MaxReferences; depth++)
        {
            if (schema.Text("$ref") is { } reference && reference.StartsWith("#/", StringComparison.Ordinal))
            {
                JsonElement? at = document;
                foreach (var part in reference[2..].Split('/'))
                {
                    at = at?.Child(part);
                }
                schema = at ?? throw new FormatException($"the document refers to {reference}, which it does not have");
            }
            else if ((schema.Items("allOf") ?? schema.Items("anyOf") ?? schema.Items("oneOf")) is { Count: > 0 } parts && schema.Child("properties") is null)
            {
                // The default stands beside the alternatives.
                var chosen = parts.FirstOrDefault(part => part.Text("type") != "null");
                if (chosen.ValueKind != JsonValueKind.Object)
                {
                    return schema;
                }
                var merged = JsonNode.Parse(Resolved(document, chosen, depth + 1).GetRawText())!.AsObject();
                if (schema.TryGetProperty("default", out var given) && given.ValueKind != JsonValueKind.Null)
                {
                    merged["default"] = JsonNode.Parse(given.GetRawText());
                }
                schema = JsonDocument.Parse(merged.ToJsonString()).RootElement;
            }
            else
            {
                return schema;
            }
        }
        throw new FormatException("the document's references lead nowhere");
    }

    private static JsonElement? Given(JsonElement property, string name) =>
        property.ValueKind == JsonValueKind.Object
        && property.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False
            ? value
            : null;

    /// <summary>The last of the options, which vendors write from the least to the most.</summary>
    private static JsonElement? Last(JsonElement property) => property.Items("enum") is { Count: > 0 } options ? options[^1] : null;

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    [GeneratedRegex("^(start_|first_|input_)?(image|frame|first_frame)(_image)?(_url)?\\z")]
    private static partial Regex Picture();

    [GeneratedRegex("^(generate_|enable_|with_)?(audio|sound)\\z")]
    private static partial Regex Sound();

    [GeneratedRegex("^([0-9]{1,3})([A-Za-z]{0,10})\\z")]
    private static partial Regex Seconds();
}
