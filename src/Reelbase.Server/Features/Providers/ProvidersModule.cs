using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Providers;

/// <summary>Which providers there are and whether they work.</summary>
public sealed class ProvidersModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["provider_states"];

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddSingleton<VideoProviders>();
        services.AddSingleton<ProviderHealth>();
        services.AddSingleton<IProviderHealthListener>(provider => provider.GetRequiredService<ProviderHealth>());
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        // Says which providers there are before anything is submitted to them.
        workers.OnWorker<ProviderHealthMonitor>();
    }
}
