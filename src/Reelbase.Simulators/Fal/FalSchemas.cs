using System.Text.Json;

namespace Reelbase.Simulators.Fal;

/// <summary>What is wrong with a model's input.</summary>
public sealed record SchemaFault(string Field, string Type, string Message);

/// <summary>The parts of fal's model schemas in which families differ: how a duration is written, which formats there are, which picture field.</summary>
public static class FalSchemas
{
    /// <summary>The first fault of an input, or null.</summary>
    public static SchemaFault? FindFault(string modelId, JsonElement input)
    {
        var family = modelId.Split('/') is [_, var alias, ..] ? alias : modelId;
        var isImage = modelId.EndsWith("image-to-video", StringComparison.Ordinal);
        if (!input.TryGetProperty("prompt", out var prompt) || prompt.ValueKind != JsonValueKind.String || prompt.GetString()!.Length == 0)
        {
            return new("prompt", "missing", "Field required");
        }
        return family switch
        {
            "veo3.1" => Options(input, "duration", "4s", "6s", "8s")
                ?? Options(input, "resolution", "720p", "1080p", "4k")
                ?? Options(input, "aspect_ratio", isImage ? ["auto", "16:9", "9:16"] : ["16:9", "9:16"])
                ?? Boolean(input, "generate_audio")
                ?? (isImage ? Required(input, "image_url") : null),
            "sora-2" => Options(input, "duration", "4", "8", "12", "16", "20") ?? (isImage ? Required(input, "image_url") : null),
            "pika" => Options(input, "duration", "5", "10")
                ?? Options(input, "resolution", "720p", "1080p")
                ?? (isImage ? Required(input, "image_url") : null)
                ?? Absent(input, "generate_audio"),
            "kling-video" => Options(input, "duration", [.. Enumerable.Range(3, 13).Select(seconds => $"{seconds}")])
                ?? Boolean(input, "generate_audio")
                ?? (isImage ? Required(input, "start_image_url") ?? Absent(input, "aspect_ratio") : null),
            _ => new("", "not_found", "Application not found"),
        };
    }

    private static SchemaFault? Options(JsonElement input, string field, params string[] options) =>
        !input.TryGetProperty(field, out var value) || (value.ValueKind == JsonValueKind.String && options.Contains(value.GetString()))
            ? null
            : new(field, "literal_error", $"Input should be {string.Join(" or ", options.Select(option => $"'{option}'"))}");

    private static SchemaFault? Boolean(JsonElement input, string field) =>
        !input.TryGetProperty(field, out var value) || value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? null
            : new(field, "bool_type", "Input should be a valid boolean");

    private static SchemaFault? Required(JsonElement input, string field) =>
        input.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? null : new(field, "missing", "Field required");

    private static SchemaFault? Absent(JsonElement input, string field) =>
        input.TryGetProperty(field, out _) ? new(field, "extra_forbidden", "Extra inputs are not permitted") : null;
}
