using MudBlazor;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Reports;

/// <summary>Content that users report.</summary>
public sealed class ReportsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["content_reports"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => ReportsOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/reports", Icons.Material.Filled.Flag, "Reported content", 110)];

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            ReportEndpoint.Map(routes.Functions);
        }
    }
}
