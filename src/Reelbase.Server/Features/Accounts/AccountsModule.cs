using MudBlazor;
using Reelbase.Server.Features.Accounts.Ages;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Accounts;

/// <summary>Profiles, consents, age bands, merging, export and deletion.</summary>
public sealed class AccountsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["users", "user_consents", "consent_terms", "age_bands"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => AccountsOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries =>
        [new("admin/users", Icons.Material.Filled.People, "Users", 20), new("admin/consent-terms", Icons.Material.Filled.Handshake, "Consent terms", 70)];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options)
    {
        options.Add<ConsentOptions>("Consent");
        options.Add<AgesOptions>("Ages");
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        // Nodes that accept nothing decide nothing about it, whatever their settings are.
        workers.OnApi<ConsentRule>();
        workers.OnApi<AgePolicies>();
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
            SetAgeBandEndpoint.Map(routes.Functions);
        }
    }
}
