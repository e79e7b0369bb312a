using Reelbase.Server.Features.Admin.Console;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Admin;

/// <summary>The support team: its operations, sign-in, audit and console.</summary>
public sealed class AdminModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables =>
        ["admin_actions", "admin_approvals", "admin_credentials", "admin_passkey_challenges", "admin_passkeys", "admin_sign_in_failures"];

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
        }
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsAdmin)
        {
            ConsoleSetup.Map(routes.Root, routes.Context.OtherAssemblies);
            routes.Functions.MapAdmin();
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
}
