using System.Text.Json;
using System.Text.Json.Nodes;

namespace Reelbase.Server.Integrations.Runway;

/// <summary>A generation as Runway takes it: the model as a member, nothing that a model does not list, the rest in the words that the model's row says.</summary>
public static class RunwayInput
{
    /// <summary>Pixels with a colon and whole seconds as numbers, for a row that says nothing.</summary>
    private static readonly JsonElement Plain = JsonDocument
        .Parse(
            """
            {"picture":{"field":"promptImage","as":"first_frame"},
             "settings":{"duration":{"field":"duration","type":"integer"},"seed":{"field":"seed","type":"integer"}},
             "combined":[{"field":"ratio","settings":["aspect_ratio","resolution"],"default":"1280:720",
               "values":{"16:9":"1280:720","9:16":"720:1280","4:3":"1104:832","3:4":"832:1104","1:1":"960:960","21:9":"1584:672",
                 "16:9|1080p":"1920:1080","9:16|1080p":"1080:1920"}}]}
            """
        )
        .RootElement;

    /// <summary>How long a prompt may be, in UTF-16 units; rows of models say the same (<c>prompt_max_utf16</c>), so that nobody is charged for more.</summary>
    public const int MaxPromptUnits = 1000;

    /// <summary>Where the input goes.</summary>
    public static string Path(GenerationInput input) => input.ImageUrl is null ? "/v1/text_to_video" : "/v1/image_to_video";

    /// <summary>The body of a submission.</summary>
    public static JsonObject Build(GenerationInput input) =>
        ModelInput.Write(new JsonObject { ["model"] = input.ProviderModelId, ["promptText"] = input.Prompt }, input, Plain);
}
