using MudBlazor;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Nodes;

/// <summary>The nodes of the installation, what they hear of outside systems, and checks that are asked for.</summary>
public sealed class NodesModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["nodes", "outside_systems"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => NodesOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/system", Icons.Material.Filled.Dns, "System", 160)];

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnEveryNode<NodeHeartbeat>();
        workers.OnEveryNode<OutsideRecorder>();
        workers.OnWorker<LedgerChecker>();
    }
}
