using MudBlazor;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Statistics;

/// <summary>Sums by hour, for metrics and the console.</summary>
public sealed class StatisticsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["job_hours", "job_totals", "ledger_hours", "ledger_totals", "statistics_progress", "theme_hours"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => StatisticsOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin", Icons.Material.Filled.Dashboard, "Overview", 10)];

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<StatisticsWorker>();
    }
}
