using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Catalog;

/// <summary>Shows what a provider would be sent for a model, made by the very adapter that sends it.</summary>
public sealed class ModelPreview(VideoProviders providers) : IOperationCompletion
{
    /// <summary>The prompt of a preview.</summary>
    public const string Prompt = "A paper boat drifting over a quiet lake at dawn";

    /// <summary>The picture of a preview: a name that RFC 2606 keeps for examples.</summary>
    public const string Picture = "https://pictures.example/first.jpg";

    /// <inheritdoc/>
    public string Operation => "admin-preview-model";

    /// <inheritdoc/>
    public void Complete(JsonObject answer)
    {
        using var described = JsonDocument.Parse(answer.ToJsonString());
        var row = described.RootElement;
        answer["provider_request"] =
            InputOf(row) is { } input && providers.Find(row.Text("provider") ?? "")?.Preview(input) is { } request
                ? new JsonObject { ["address"] = request.Address, ["body"] = request.Body }
                : null;
    }

    /// <summary>A generation with a row's own defaults; null when the row names no model of its provider.</summary>
    public static GenerationInput? InputOf(JsonElement described) =>
        described.Text("provider_model_id") is { } model
            ? new(
                model,
                Prompt,
                described.Child("settings") ?? default,
                described.TryGetProperty("requires_image", out var image) && image.ValueKind == JsonValueKind.True ? Picture : null,
                described.Child("provider_input")
            )
            : null;
}
