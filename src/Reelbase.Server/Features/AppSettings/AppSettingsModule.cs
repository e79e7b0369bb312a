using MudBlazor;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.AppSettings;

/// <summary>Flags of the app and limits of the server that change while everything runs.</summary>
public sealed class AppSettingsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["app_settings"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => AppSettingsOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/app-settings", Icons.Material.Filled.Tune, "App settings", 80)];

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnApi<ServerLimits>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            GetAppSettingsEndpoint.Map(routes.Functions);
        }
    }
}
