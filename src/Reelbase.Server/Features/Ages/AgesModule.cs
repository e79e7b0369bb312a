using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Ages;

/// <summary>The declared age bands and what each may do.</summary>
public sealed class AgesModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["age_bands"];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<AgesOptions>("Ages");

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        // Nodes that accept nothing decide nothing about it, whatever their settings are.
        workers.OnApi<AgePolicies>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            SetAgeBandEndpoint.Map(routes.Functions);
        }
    }
}
