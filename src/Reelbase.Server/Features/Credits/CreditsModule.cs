using MudBlazor;
using Reelbase.Server.Features.Credits.PromoCodes;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Credits;

/// <summary>Balances, the ledger and its check, and codes that give credits once.</summary>
public sealed class CreditsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["quota_log", "balances_below_zero", "promo_claims", "promo_codes", "promo_redemptions"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations { get; } = [.. CreditsOperations.All, .. PromoCodesOperations.All];

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
            routes.Functions.MapCredits();
            RedeemPromoCodeEndpoint.Map(routes.Functions);
        }
    }
}
