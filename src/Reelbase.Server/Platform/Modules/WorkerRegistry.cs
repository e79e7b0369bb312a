using Microsoft.Extensions.DependencyInjection.Extensions;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Platform.Modules;

/// <summary>
/// Background work, by the role whose processes do it. It begins one after the other: what every node does first, then what the role <c>api</c> needs,
/// then the work of the role <c>worker</c>; within each in the order of <c>Modules.cs</c>. What requests depend on (<see cref="IBeforeReady"/>) begins with the host,
/// all else once the node is ready.
/// </summary>
public sealed class WorkerRegistry
{
    private readonly List<Worker> _everywhere = [];
    private readonly List<Worker> _api = [];
    private readonly List<Worker> _worker = [];

    /// <summary>On each node, whatever its roles are.</summary>
    public void OnEveryNode<T>()
        where T : class, IHostedService => _everywhere.Add(Worker.Of<T>());

    /// <summary>On nodes that serve apps.</summary>
    public void OnApi<T>()
        where T : class, IHostedService => _api.Add(Worker.Of<T>());

    /// <summary>On nodes that work in the background.</summary>
    public void OnWorker<T>()
        where T : class, IHostedService => _worker.Add(Worker.Of<T>());

    /// <summary>Adds the work of this process.</summary>
    public void AddTo(IServiceCollection services, ModuleContext context)
    {
        List<Worker> all = [.. _everywhere, .. context.IsApi ? _api : [], .. context.IsWorker ? _worker : []];
        foreach (var worker in all)
        {
            // One object: what runs is what others get when they ask for it.
            services.TryAddSingleton(worker.Type);
        }
        foreach (var worker in all.Where(worker => worker.IsBeforeReady))
        {
            services.AddSingleton(worker.Get);
        }
        services.AddSingleton<NodeReady>();
        var later = all.Where(worker => !worker.IsBeforeReady).ToList();
        services.AddHostedService(provider =>
            ActivatorUtilities.CreateInstance<WorkAfterReady>(provider, later.ConvertAll<Func<IHostedService>>(worker => () => worker.Get(provider)))
        );
    }

    private sealed record Worker(Type Type, bool IsBeforeReady, Func<IServiceProvider, IHostedService> Get)
    {
        public static Worker Of<T>()
            where T : class, IHostedService => new(typeof(T), typeof(T).IsAssignableTo(typeof(IBeforeReady)), provider => provider.GetRequiredService<T>());
    }
}
