using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.SignIn;

/// <summary>Sign in with Apple.</summary>
public sealed class SignInModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["apple_authorizations", "used_identity_tokens"];

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        if (context.IsApi)
        {
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
            AppleAccountEventsEndpoint.Map(routes.Functions);
        }
    }
}
