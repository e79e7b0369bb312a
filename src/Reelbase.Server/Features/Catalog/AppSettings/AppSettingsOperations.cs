using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Catalog.AppSettings;

/// <summary>What admins can do and see of settings.</summary>
internal static class AppSettingsOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query("admin-list-app-settings", "Flags of the app, and the server's limits that can be changed, with their bounds"),
        Change(
            "admin-save-app-settings",
            "Set flags of the app and limits of the server, all or none; operators only",
            new AdminField(
                "settings",
                new Dictionary<string, object> { ["new_onboarding"] = true, ["Generation:GuestPerWindow"] = 20 },
                "JSON values by key; null removes one",
                true
            ),
            Reason
        ) with
        {
            Example = new { success = true, changed = 2 },
        },
    ];
}
