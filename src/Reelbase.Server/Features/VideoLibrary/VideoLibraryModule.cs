using MudBlazor;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.VideoLibrary;

/// <summary>The caller's jobs: lists, status, streams, deletion.</summary>
public sealed class VideoLibraryModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => VideoLibraryOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/jobs", Icons.Material.Filled.Movie, "Jobs", 30)];

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        if (context.IsApi)
        {
            services.AddSingleton<JobView>();
            services.AddSingleton<JobStatuses>();
        }
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnApi<StreamHeartbeat>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Functions.MapVideoLibrary();
        }
    }
}
