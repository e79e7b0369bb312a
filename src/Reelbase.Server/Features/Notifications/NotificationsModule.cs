using Reelbase.Server.Features.Notifications.Alerts;
using Reelbase.Server.Features.Notifications.Push;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Notifications;

/// <summary>What is said without being asked: pushes to phones, alerts to operators.</summary>
public sealed class NotificationsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["alerts", "push_notifications", "push_tokens"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => PushOperations.All;

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<AlertsOptions>("Alerts");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddOutsideClient(AlertWorker.ClientName, "alert_webhook", OutsideClients.MaxAnswerBytes);
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<AlertWorker>();
        workers.OnWorker<PushWorker>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Functions.MapPush();
        }
    }
}
