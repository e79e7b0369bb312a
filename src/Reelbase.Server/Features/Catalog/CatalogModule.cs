using MudBlazor;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Server.Features.Catalog.Console;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Catalog;

/// <summary>Models and themes, flags of the app, and limits of the server that change while everything runs.</summary>
public sealed class CatalogModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["models", "themes", "foreign_results", "app_settings"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations { get; } = [.. CatalogOperations.All, .. AppSettingsOperations.All];

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries =>
        [
            new("admin/models", Icons.Material.Filled.AutoAwesome, "Models and themes", 40),
            new("admin/app-settings", Icons.Material.Filled.Tune, "App settings", 80),
        ];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<CatalogOptions>("Catalog");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddSingleton<IOperationCompletion, ModelPreview>();
        services.AddSingleton<KeptModels>();
        if (context.IsAdmin)
        {
            services.AddSingleton<CatalogPreview>();
        }
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<ModelKeeper>();
        workers.OnApi<ServerLimits>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            GetModelsEndpoint.Map(routes.Functions);
            GetThemesEndpoint.Map(routes.Functions);
            GetAppSettingsEndpoint.Map(routes.Functions);
        }
    }
}
