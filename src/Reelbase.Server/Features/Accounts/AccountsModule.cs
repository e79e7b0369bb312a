using MudBlazor;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Accounts;

/// <summary>Profiles, consents, merging, export and deletion.</summary>
public sealed class AccountsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["users", "user_consents", "consent_terms"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => AccountsOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries =>
        [new("admin/users", Icons.Material.Filled.People, "Users", 20), new("admin/consent-terms", Icons.Material.Filled.Handshake, "Consent terms", 70)];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<ConsentOptions>("Consent");

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        // Nodes that accept nothing decide nothing about it, whatever their settings are.
        workers.OnApi<ConsentRule>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Functions.MapAccounts();
            ConsentEndpoint.Map(routes.Functions);
            GetConsentTermsEndpoint.Map(routes.Functions);
            MergeGuestEndpoint.Map(routes.Functions);
            routes.Functions.MapAccountDeletion();
        }
    }
}
