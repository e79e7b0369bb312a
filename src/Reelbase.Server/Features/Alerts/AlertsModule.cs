using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Alerts;

/// <summary>What an operator should know.</summary>
public sealed class AlertsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["alerts"];

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
    }
}
