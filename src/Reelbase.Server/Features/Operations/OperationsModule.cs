using MudBlazor;
using Reelbase.Server.Features.Operations.Cleanup;
using Reelbase.Server.Features.Operations.Nodes;
using Reelbase.Server.Features.Operations.Statistics;
using Reelbase.Server.Features.Operations.Traces;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Operations;

/// <summary>What keeps the installation running and shows how it does: nodes, checks, the nightly cleanup, sums by hour, errors by trace.</summary>
public sealed class OperationsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables =>
        ["nodes", "outside_systems", "job_hours", "job_totals", "ledger_hours", "ledger_totals", "statistics_progress", "theme_hours"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations { get; } = [.. NodesOperations.All, .. StatisticsOperations.All, .. TracesOperations.All];

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries =>
        [
            new("admin", Icons.Material.Filled.Dashboard, "Overview", 10),
            new("admin/errors", Icons.Material.Filled.ErrorOutline, "Errors", 120),
            new("admin/system", Icons.Material.Filled.Dns, "System", 160),
        ];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<CleanupOptions>("Cleanup");

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnEveryNode<NodeHeartbeat>();
        workers.OnEveryNode<OutsideRecorder>();
        workers.OnWorker<LedgerChecker>();
        workers.OnWorker<Cleaner>();
        workers.OnWorker<StatisticsWorker>();
    }
}
