using System.Text.Json;
using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Catalog.AppSettings;

/// <summary>What admins can do and see of settings.</summary>
internal static class AppSettingsOperations
{
    public static AdminOperation<AdminEmptyRequest, AdminListAppSettingsResponse> List { get; } =
        QueryOf(
            "admin-list-app-settings",
            "Flags of the app, and the server's limits that can be changed, with their bounds",
            new AdminEmptyRequest(),
            new AdminListAppSettingsResponse([], [])
        );

    public static AdminOperation<AdminSaveAppSettingsRequest, AdminSavedAppSettingsResponse> Save { get; } =
        ChangeOf(
            "admin-save-app-settings",
            "Set flags of the app and limits of the server, all or none; operators only",
            new AdminSaveAppSettingsRequest(
                new Dictionary<string, JsonElement>
                {
                    ["new_onboarding"] = JsonSerializer.SerializeToElement(true),
                    ["Generation:GuestPerWindow"] = JsonSerializer.SerializeToElement(20),
                },
                SomeReason
            ),
            new AdminSavedAppSettingsResponse(true, 2)
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [List, Save];
}
