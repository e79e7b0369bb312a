using System.Text.Json;
using System.Text.Json.Nodes;

namespace Reelbase.Server.Integrations.Runway;

/// <summary>Our settings in Runway's words: pixels with a colon, whole seconds as numbers, and nothing that a model does not list.</summary>
public static class RunwayInput
{
    private static readonly Dictionary<string, string> Ratios = new(StringComparer.Ordinal)
    {
        ["16:9"] = "1280:720",
        ["9:16"] = "720:1280",
        ["4:3"] = "1104:832",
        ["3:4"] = "832:1104",
        ["1:1"] = "960:960",
        ["21:9"] = "1584:672",
    };

    /// <summary>How long a prompt may be, in UTF-16 units; rows of models say the same (<c>prompt_max_utf16</c>), so that nobody is charged for more.</summary>
    public const int MaxPromptUnits = 1000;

    /// <summary>Where the input goes.</summary>
    public static string Path(GenerationInput input) => input.ImageUrl is null ? "/v1/text_to_video" : "/v1/image_to_video";

    /// <summary>The body of a submission.</summary>
    public static JsonObject Build(GenerationInput input)
    {
        var isVeo = input.ProviderModelId.StartsWith("veo", StringComparison.Ordinal);
        var body = new JsonObject
        {
            ["model"] = input.ProviderModelId,
            ["promptText"] = input.Prompt,
            ["ratio"] = Ratio(input.Settings),
        };
        if (input.ImageUrl is not null)
        {
            body["promptImage"] = new JsonArray(new JsonObject { ["uri"] = input.ImageUrl, ["position"] = "first" });
        }
        if (input.Settings.Number("duration") is { } seconds)
        {
            body["duration"] = (int)seconds;
        }
        if (input.Settings.Number("seed") is { } seed)
        {
            body["seed"] = (long)seed;
        }
        if (isVeo)
        {
            // Sound costs more and has no documented default, so the choice is always said.
            body["audio"] = input.Settings.TryGetProperty("audio", out var audio) && audio.ValueKind == JsonValueKind.True;
            if (input.Settings.Text("negative_prompt") is { } avoid)
            {
                body["negativePrompt"] = avoid;
            }
        }
        return body;
    }

    private static string Ratio(JsonElement settings)
    {
        var ratio = Ratios.GetValueOrDefault(settings.Text("aspect_ratio") ?? "16:9", Ratios["16:9"]);
        return settings.Text("resolution") == "1080p"
            ? ratio switch
            {
                "1280:720" => "1920:1080",
                "720:1280" => "1080:1920",
                _ => ratio,
            }
            : ratio;
    }
}
