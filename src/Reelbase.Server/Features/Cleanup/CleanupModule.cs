using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Cleanup;

/// <summary>What is old enough goes, once a night.</summary>
public sealed class CleanupModule : IModule
{
    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<CleanupOptions>("Cleanup");

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<Cleaner>();
    }
}
