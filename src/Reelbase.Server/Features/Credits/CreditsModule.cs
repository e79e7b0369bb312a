using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Credits;

/// <summary>Balances, the ledger and its check.</summary>
public sealed class CreditsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["quota_log", "balances_below_zero"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => CreditsOperations.All;

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Functions.MapCredits();
        }
    }
}
