using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Push;

/// <summary>Pushes to phones.</summary>
public sealed class PushModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["push_notifications", "push_tokens"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => PushOperations.All;

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<PushWorker>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Functions.MapPush();
        }
    }
}
