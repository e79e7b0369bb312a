using System.Text.Json;
using System.Text.Json.Nodes;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>A generation as fal takes it: the model's own input without a wrapper, in the words that the model's row says.</summary>
public static class FalInput
{
    /// <summary>What most endpoints take, for a row that says nothing.</summary>
    private static readonly JsonElement Plain = JsonDocument
        .Parse("""{"settings":{"duration":{"field":"duration","type":"digits"},"audio":{"field":"generate_audio","type":"boolean"}},"others":true}""")
        .RootElement;

    private static readonly JsonElement PlainWithPicture = JsonDocument
        .Parse(
            """{"picture":{"field":"image_url"},"settings":{"duration":{"field":"duration","type":"digits"},"audio":{"field":"generate_audio","type":"boolean"}},"others":true}"""
        )
        .RootElement;

    /// <summary>The body of a submission.</summary>
    public static JsonObject Build(GenerationInput input) =>
        ModelInput.Write(
            new JsonObject { ["prompt"] = input.Prompt },
            input,
            input.ProviderModelId.EndsWith("image-to-video", StringComparison.Ordinal) ? PlainWithPicture : Plain
        );
}
