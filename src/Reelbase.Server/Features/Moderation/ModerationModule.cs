using MudBlazor;
using Reelbase.Server.Features.Moderation.Reports;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Moderation;

/// <summary>Prompts and pictures are checked before anything is charged; users report what they see.</summary>
public sealed class ModerationModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["content_reports"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => ReportsOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/reports", Icons.Material.Filled.Flag, "Reported content", 110)];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<ModerationOptions>("Moderation");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddOutsideClient(Moderator.ClientName, "moderation");
        if (context.IsApi)
        {
            services.AddSingleton<Moderator>();
        }
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            ReportEndpoint.Map(routes.Functions);
        }
    }
}
