using Reelbase.Server.Features.Supabase.Auth;
using Reelbase.Server.Features.Supabase.Functions;
using Reelbase.Server.Features.Supabase.Realtime;
using Reelbase.Server.Features.Supabase.Rest;
using Reelbase.Server.Features.Supabase.ShippedBuilds;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Supabase;

/// <summary>The endpoints of Supabase's clients: auth, rest, realtime, functions; shipped builds of an app that have no others; and moving in from its database and its files.</summary>
public sealed class SupabaseModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["unverified_uses", "imports", "import_files", "import_findings"];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options)
    {
        options.Add<SupabaseOptions>("Supabase");
        options.Add<RestOptions>("Supabase");
        options.Add<RealtimeOptions>("Realtime");
    }

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        if (context.IsApi)
        {
            services.AddSingleton<IErrorShape, AuthErrors>();
            services.AddSingleton<IErrorShape, RestErrors>();
            RestEndpoint.Add(services);
            RealtimeEndpoint.Add(services);
        }
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnApi<UnverifiedUsesRecorder>();
        workers.OnApi<RealtimeSockets>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Root.MapAuth();
            RestEndpoint.Map(routes.Root);
            RealtimeEndpoint.Map(routes.Root);
        }
    }

    /// <inheritdoc/>
    public void UseBeforeRouting(WebApplication app) => FunctionCalls.UseBeforeRouting(app);

    /// <inheritdoc/>
    public void UseAfterRouting(WebApplication app) => FunctionCalls.UseAfterRouting(app);
}
