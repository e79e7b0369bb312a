using System.Text.Json;
using Reelbase.Simulators.Fal;

namespace Reelbase.Simulators.Runway;

/// <summary>Runway's rules for inputs, which it checks when a task is created.</summary>
public static class RunwaySchemas
{
    private const int MaxPromptUnits = 1000;
    private static readonly string[] Wide = ["1280:720", "720:1280"];
    private static readonly string[] Any = ["1280:720", "720:1280", "1104:832", "960:960", "832:1104", "1584:672"];
    private static readonly string[] Veo = ["1280:720", "720:1280", "1080:1920", "1920:1080"];

    /// <summary>The first fault of an input, or null.</summary>
    public static SchemaFault? FindFault(JsonElement input, bool isImage)
    {
        var model = Text(input, "model");
        if (model is not ("gen4.5" or "gen4_turbo" or "veo3.1" or "veo3.1_fast") || (model == "gen4_turbo" && !isImage))
        {
            return new("model", "invalid_value", "Invalid option");
        }
        var isVeo = model.StartsWith("veo", StringComparison.Ordinal);
        if (Text(input, "promptText") is not { Length: > 0 and <= MaxPromptUnits })
        {
            return new("promptText", "invalid_value", "Must be between 1 and 1000 characters");
        }
        if (isImage && !input.TryGetProperty("promptImage", out _))
        {
            return new("promptImage", "invalid_value", "Required");
        }
        if (
            !(
                isVeo ? Veo
                : isImage ? Any
                : Wide
            ).Contains(Text(input, "ratio"))
        )
        {
            return new("ratio", "invalid_value", "Invalid option");
        }
        if (!input.TryGetProperty("duration", out var duration) || !duration.TryGetInt32(out var seconds))
        {
            return new("duration", "invalid_value", "Expected a number");
        }
        if (isVeo ? seconds is not (4 or 6 or 8) : seconds is < 2 or > 10)
        {
            return new("duration", "invalid_value", "Invalid option");
        }
        string[] known = isVeo
            ? ["model", "promptText", "promptImage", "ratio", "duration", "audio", "negativePrompt", "seed"]
            : ["model", "promptText", "promptImage", "ratio", "duration", "seed", "contentModeration", "outputFormat"];
        return input.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => !known.Contains(name)) is { } extra
            ? new(extra, "unrecognized_keys", "Unrecognized key")
            : null;
    }

    /// <summary>What an input costs.</summary>
    public static int Credits(JsonElement input)
    {
        var audio = input.TryGetProperty("audio", out var sound) && sound.ValueKind == JsonValueKind.True;
        var perSecond = Text(input, "model") switch
        {
            "gen4_turbo" => 5,
            "veo3.1" => audio ? 40 : 20,
            "veo3.1_fast" => audio ? 15 : 10,
            _ => 12,
        };
        return perSecond * input.GetProperty("duration").GetInt32();
    }

    private static string? Text(JsonElement input, string name) =>
        input.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
