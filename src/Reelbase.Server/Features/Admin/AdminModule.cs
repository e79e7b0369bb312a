using Microsoft.Extensions.Options;
using MudBlazor;
using Reelbase.Server.Features.Admin.Console;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Admin;

/// <summary>The support team: its operations, sign-in, audit and console.</summary>
public sealed class AdminModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables =>
        ["admin_actions", "admin_approvals", "admin_credentials", "admin_passkey_challenges", "admin_passkeys", "admin_sign_in_failures"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => TeamOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries =>
        [
            new("admin/approvals", Icons.Material.Filled.Approval, "Approvals", 100),
            new("admin/audit", Icons.Material.Filled.History, "Audit", 130),
            new("admin/passkeys", Icons.Material.Filled.Key, "Passkeys", 140),
            new("admin/sessions", Icons.Material.Filled.Devices, "Your sessions", 150),
        ];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<AdminOptions>("Admin");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        if (context.IsAdmin)
        {
            var admin = context.Read<AdminOptions>("Admin");
            ConsoleSetup.Check(admin, context.IsProduction);
            ConsoleSetup.Add(services, admin, new ConsoleCookies(context.Server, admin, context.IsProduction));
            ConsoleSetup.Listen(context.Builder, admin);
            services.AddSingleton(new ConsolePages(context.OtherAssemblies));
            services.AddSingleton(new AdminOperations(context.Modules));
            services.AddSingleton(new ConsoleMenu(context.Modules));
            foreach (var operation in new[] { "admin-refund-credits", "admin-adjust-credits", "admin-approve" })
            {
                services.AddSingleton(new OperationRules(operation, CreditRules));
            }
        }
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsAdmin)
        {
            ConsoleSetup.Map(routes.Root, routes.Context.OtherAssemblies);
            routes.Functions.MapAdmin(routes.Root.ServiceProvider.GetRequiredService<AdminOperations>());
        }
    }

    /// <inheritdoc/>
    public void UseBeforeEndpoints(WebApplication app, ModuleContext context)
    {
        if (context.IsAdmin)
        {
            ConsoleSetup.Use(app, context.Read<AdminOptions>("Admin"));
        }
    }

    private static object CreditRules(IServiceProvider services) => services.GetRequiredService<IOptions<AdminOptions>>().Value.CreditRules();
}
