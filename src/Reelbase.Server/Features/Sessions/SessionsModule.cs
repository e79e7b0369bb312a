using Reelbase.Server.Features.Sessions.SignIn;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Sessions;

/// <summary>Sessions and their refresh tokens; Sign in with Apple.</summary>
public sealed class SessionsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["sessions", "refresh_tokens", "former_refresh_tokens", "apple_authorizations", "used_identity_tokens"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => SessionsOperations.All;

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        if (context.IsApi)
        {
            services.AddSingleton<SessionService>();
            services.AddSingleton<AppleSignIn>();
            services.AddSingleton<AppleAuthorizations>();
        }
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<AppleAuthorizationWorker>();
        workers.OnWorker<AppleAccountEventWorker>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Functions.MapSessions();
            AppleAccountEventsEndpoint.Map(routes.Functions);
        }
    }
}
