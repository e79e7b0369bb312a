using System.Text.Json;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Catalog;

/// <summary>What admins can do and see of models and themes.</summary>
internal static class CatalogOperations
{
    private static readonly Guid ModelId = Guid.Parse("a0000000-0000-4000-8000-000000000001");
    private static readonly Guid ThemeId = Guid.Parse("5a000000-0000-4000-8000-000000000001");
    private static readonly JsonElement Settings = JsonSerializer.SerializeToElement(new { duration = 8 }, Json.Options);
    private static readonly JsonElement Nothing = JsonSerializer.SerializeToElement(new { }, Json.Options);

    public static AdminOperation<AdminEmptyRequest, AdminListModelsResponse> Models { get; } =
        QueryOf("admin-list-models", "Every model", new AdminEmptyRequest(), new AdminListModelsResponse([]));

    public static AdminOperation<AdminToggleModelRequest, AdminSuccessResponse> Toggle { get; } =
        ChangeOf("admin-toggle-model", "Switch a model on or off", new AdminToggleModelRequest(ModelId, false, SomeReason), new AdminSuccessResponse(true));

    public static AdminOperation<AdminPreviewModelRequest, AdminPreviewModelResponse> Preview { get; } =
        QueryOf(
            "admin-preview-model",
            "What a model would be after a change that is not made: what the app gets, what each option costs, what the provider is sent",
            new AdminPreviewModelRequest { ModelId = ModelId, Name = "Veo 3.1 Fast" },
            new AdminPreviewModelResponse(
                null,
                new(ModelId, "Veo 3.1 Fast", "text_to_video", null, 8, "per_generation", null, Nothing, true, true, null, "fal", null, true),
                true,
                ["Google"],
                "Google",
                Settings,
                "fal",
                "fal-ai/veo3.1/fast",
                Nothing,
                false,
                [new(Settings, 8, 800_000)],
                new(
                    "POST https://queue.fal.run/fal-ai/veo3.1/fast",
                    JsonSerializer.SerializeToElement(new { prompt = "A paper boat", duration = "8s" }, Json.Options)
                )
            )
        ) with
        {
            IsAskedByBody = true,
        };

    public static AdminOperation<AdminSaveModelRequest, AdminSavedModelResponse> SaveModel { get; } =
        ChangeOf(
            "admin-save-model",
            "Make a model, or change the fields that are named",
            new AdminSaveModelRequest(SomeReason)
            {
                ModelId = ModelId,
                Name = "Veo 3.1 Fast",
                CostPerGeneration = 8,
            },
            new AdminSavedModelResponse(true, ModelId)
        );

    public static AdminOperation<AdminEmptyRequest, AdminListThemesResponse> Themes { get; } =
        QueryOf("admin-list-themes", "Every theme", new AdminEmptyRequest(), new AdminListThemesResponse([]));

    public static AdminOperation<AdminSaveThemeRequest, AdminSavedThemeResponse> SaveTheme { get; } =
        ChangeOf(
            "admin-save-theme",
            "Make a theme, or change the fields that are named",
            new AdminSaveThemeRequest(SomeReason) { ThemeId = ThemeId, Name = "Paper boat" },
            new AdminSavedThemeResponse(true, ThemeId)
        );

    public static AdminOperation<AdminModelMarginsRequest, AdminModelMarginsResponse> Margins { get; } =
        QueryOf(
            "admin-model-margins",
            "What each model brought and what its provider billed, the smallest margin first",
            new AdminModelMarginsRequest(),
            new AdminModelMarginsResponse(100_000, [])
        ) with
        {
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb",
        };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Models, Toggle, Preview, SaveModel, Themes, SaveTheme, Margins];
}
