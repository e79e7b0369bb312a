using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Sessions;

/// <summary>Sessions and their refresh tokens.</summary>
public sealed class SessionsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["sessions", "refresh_tokens", "former_refresh_tokens"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => SessionsOperations.All;

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        if (context.IsApi)
        {
            services.AddSingleton<SessionService>();
        }
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Functions.MapSessions();
        }
    }
}
