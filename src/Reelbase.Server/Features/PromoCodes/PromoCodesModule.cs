using MudBlazor;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.PromoCodes;

/// <summary>Codes that give credits, once.</summary>
public sealed class PromoCodesModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["promo_claims", "promo_codes", "promo_redemptions"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => PromoCodesOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/promo-codes", Icons.Material.Filled.Redeem, "Promo codes", 60)];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<PromoCodesOptions>("PromoCodes");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddSingleton<IOperationPreparation, PromoCodePreparation>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            RedeemPromoCodeEndpoint.Map(routes.Functions);
        }
    }
}
