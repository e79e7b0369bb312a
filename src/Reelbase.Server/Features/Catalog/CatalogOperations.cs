using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Catalog;

/// <summary>What admins can do and see of models and themes.</summary>
internal static class CatalogOperations
{
    private const string ModelId = "a0000000-0000-4000-8000-000000000001";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query("admin-list-models", "Every model"),
        Change(
            "admin-toggle-model",
            "Switch a model on or off",
            new AdminField("model_id", ModelId, "Which model", true),
            new("is_available", false, "On or off", true),
            Reason
        ) with
        {
            Response = typeof(AdminSuccessResponse),
        },
        Query(
            "admin-preview-model",
            "What a model would be after a change that is not made: what the app gets, what each option costs, what the provider is sent",
            new AdminField("model_id", ModelId, "Which model; a new one when absent"),
            new("name", "Veo 3.1 Fast", "Its name; and any other field that admin-save-model takes")
        ) with
        {
            IsAskedByBody = true,
            Example = new
            {
                fault = (string?)null,
                app = new { id = ModelId, name = "Veo 3.1 Fast" },
                settings = new { duration = 8 },
                prices = new[]
                {
                    new
                    {
                        settings = new { duration = 8 },
                        credits = 8,
                        cost_micros = 800_000,
                    },
                },
                provider_request = new { address = "POST https://queue.fal.run/fal-ai/veo3.1/fast", body = new { prompt = "A paper boat", duration = "8s" } },
            },
        },
        Change(
            "admin-save-model",
            "Make a model, or change the fields that are named",
            new AdminField("model_id", ModelId, "Which model; a new one when absent"),
            new("name", "Veo 3.1 Fast", "Its name"),
            new("cost_per_generation", 8, "Credits of a default generation"),
            Reason
        ),
        Query("admin-list-themes", "Every theme"),
        Change(
            "admin-save-theme",
            "Make a theme, or change the fields that are named",
            new AdminField("theme_id", "5a000000-0000-4000-8000-000000000001", "Which theme; a new one when absent"),
            new("name", "Paper boat", "Its name"),
            Reason
        ),
    ];
}
