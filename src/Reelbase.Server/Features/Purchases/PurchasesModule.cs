using MudBlazor;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Purchases;

/// <summary>Products, purchases and refunds of the App Store.</summary>
public sealed class PurchasesModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["products", "purchases", "purchase_claims", "reconciliations", "rescinded_consents"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => PurchasesOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/products", Icons.Material.Filled.ShoppingCart, "Products and purchases", 50)];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<PurchasesOptions>("Purchases");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddSingleton<IAppStoreHealthListener, AppStoreHealthListener>();
        services.AddSingleton<IOperationPreparation, PurchaseAssignment>();
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<AppStoreNotificationWorker>();
        workers.OnWorker<PurchaseClaimWorker>();
        workers.OnWorker<PurchaseReconciler>();
        workers.OnWorker<WaitingPurchaseWorker>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            GetProductsEndpoint.Map(routes.Functions);
            UpdateCreditsEndpoint.Map(routes.Functions);
            AppStoreNotificationsEndpoint.Map(routes.Functions);
        }
    }
}
