using System.Globalization;
using System.Text.Json.Nodes;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>Our settings in the words of each model family at fal. The families agree on the idea of a duration and on nothing else about it.</summary>
public static class FalInput
{
    /// <summary>The body of a submission: the model's own input, without a wrapper.</summary>
    public static JsonObject Build(GenerationInput input)
    {
        var family = input.ProviderModelId.Split('/') is [_, var alias, ..] ? alias : "";
        var body = new JsonObject { ["prompt"] = input.Prompt };
        if (input.ImageUrl is not null && input.ProviderModelId.EndsWith("image-to-video", StringComparison.Ordinal))
        {
            body[family == "kling-video" ? "start_image_url" : "image_url"] = input.ImageUrl;
        }
        foreach (var setting in input.Settings.EnumerateObject())
        {
            switch (setting.Name)
            {
                case "duration":
                    body["duration"] = Duration(family, input.ProviderModelId, setting.Value.GetInt32());
                    break;
                case "audio":
                    // fal's default is on and costs twice as much, so the choice is always said.
                    body["generate_audio"] = setting.Value.GetBoolean();
                    break;
                default:
                    body[setting.Name] = JsonNode.Parse(setting.Value.GetRawText());
                    break;
            }
        }
        return body;
    }

    private static JsonNode Duration(string family, string modelId, int seconds) =>
        family switch
        {
            "veo3.1" => seconds.ToString(CultureInfo.InvariantCulture) + "s",
            "pika" when !modelId.Contains("/v2.2/", StringComparison.Ordinal) => seconds,
            _ => seconds.ToString(CultureInfo.InvariantCulture),
        };
}
