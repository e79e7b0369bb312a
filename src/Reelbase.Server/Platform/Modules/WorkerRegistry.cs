using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Reelbase.Server.Platform.Modules;

/// <summary>
/// Background work, by the role whose processes do it. The host starts one after the other: what every node does first, then what the role <c>api</c> needs,
/// then the work of the role <c>worker</c>; within each in the order of <c>Modules.cs</c>.
/// </summary>
public sealed class WorkerRegistry
{
    private readonly List<Action<IServiceCollection>> _everywhere = [];
    private readonly List<Action<IServiceCollection>> _api = [];
    private readonly List<Action<IServiceCollection>> _worker = [];

    /// <summary>On each node, whatever its roles are.</summary>
    public void OnEveryNode<T>()
        where T : class, IHostedService => _everywhere.Add(AddWorker<T>);

    /// <summary>On nodes that serve apps.</summary>
    public void OnApi<T>()
        where T : class, IHostedService => _api.Add(AddWorker<T>);

    /// <summary>On nodes that work in the background.</summary>
    public void OnWorker<T>()
        where T : class, IHostedService => _worker.Add(AddWorker<T>);

    /// <summary>Adds the work of this process.</summary>
    public void AddTo(IServiceCollection services, ModuleContext context)
    {
        foreach (var add in (IEnumerable<Action<IServiceCollection>>)[.. _everywhere, .. context.IsApi ? _api : [], .. context.IsWorker ? _worker : []])
        {
            add(services);
        }
    }

    /// <summary>One object: what the host runs is what others get when they ask for it.</summary>
    private static void AddWorker<T>(IServiceCollection services)
        where T : class, IHostedService
    {
        services.TryAddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}
