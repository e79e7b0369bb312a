using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Live;

/// <summary>The hub through which whoever watches a job hears of it.</summary>
public sealed class LiveModule : IModule
{
    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnApi<LiveHub>();
    }
}
