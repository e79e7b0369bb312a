using MudBlazor;
using Reelbase.Server.Features.Catalog.Console;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Catalog;

/// <summary>Models and themes.</summary>
public sealed class CatalogModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["models", "themes", "foreign_results"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => CatalogOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/models", Icons.Material.Filled.AutoAwesome, "Models and themes", 40)];

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
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            GetModelsEndpoint.Map(routes.Functions);
            GetThemesEndpoint.Map(routes.Functions);
        }
    }
}
