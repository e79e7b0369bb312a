using MudBlazor;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Inbox;

/// <summary>Webhooks of providers: stored first, handled after.</summary>
public sealed class InboxModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["webhook_deliveries"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => InboxOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/webhooks", Icons.Material.Filled.SwapHoriz, "Webhooks", 90)];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<CallbackOptions>("Callbacks");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddSingleton(new OperationTopics(_ => [WebhookWorker.WakeTopic]));
        // The largest body of all; every other endpoint has a smaller bound of its own.
        context.Builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = WebhookEndpoint.MaxBodyBytes);
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<WebhookWorker>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            WebhookEndpoint.Map(routes.Root);
        }
    }
}
