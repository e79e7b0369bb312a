using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Telemetry;
using Reelbase.Server.Platform.Work;
using Scalar.AspNetCore;

namespace Reelbase.Server;

/// <summary>Puts the program together from its modules: options, services, background work, middleware, routes.</summary>
public static class ServerApp
{
    /// <summary>What stopping takes beside the draining of work.</summary>
    private const int StopSeconds = 10;

    /// <summary>Every section of the configuration; docs/configuration.md is made from this list.</summary>
    internal static IReadOnlyList<(string Section, Type Type)> Sections { get; } =
    [.. OptionsRegistry.Of(Modules.All).Select(section => (section.Name, section.Type))];

    /// <summary>Builds the server on a database that is ready.</summary>
    /// <param name="builder">Configuration and logging.</param>
    /// <param name="strings">How each role reaches the database.</param>
    /// <param name="others">Modules that join those of the program.</param>
    public static WebApplication Build(WebApplicationBuilder builder, ConnectionStrings strings, params IReadOnlyList<IModule> others)
    {
        IReadOnlyList<IModule> modules = [.. Modules.All, .. others];
        var sections = OptionsRegistry.Of(modules);
        StartChecks.Run(builder, sections, withDatabaseAndKeys: false);
        var server = builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new();
        var context = new ModuleContext(builder, server, modules);
        AddHost(builder, strings);
        foreach (var section in sections)
        {
            section.Register(builder.Services, builder.Configuration);
        }
        var workers = new WorkerRegistry();
        foreach (var module in modules)
        {
            module.AddServices(builder.Services, context);
            module.AddWorkers(workers);
        }
        workers.AddTo(builder.Services, context);
        var app = builder.Build();
        foreach (var module in modules)
        {
            module.CheckAtStart(app.Services, context);
        }
        UsePipeline(app, modules, context);
        MapRoutes(app, modules, context);
        return app;
    }

    /// <summary>What the process as a whole has: its server, JSON, documents, telemetry.</summary>
    private static void AddHost(WebApplicationBuilder builder, ConnectionStrings strings)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // PacedBodyStream has this rule, with an answer.
            kestrel.Limits.MinRequestBodyDataRate = null;
            PeerConnections.Use(kestrel);
        });
        // What a socket brought is handled by the thread that read it, and sent by the one that wrote it: each hand-over wakes another thread, which cost more than the
        // request itself. A handler that blocks holds up its own connection and nobody else's.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        var services = builder.Services;
        // All at once, so that each work loop has its whole time to drain, and longer than that.
        services
            .AddOptions<HostOptions>()
            .Configure<IOptions<WorkOptions>>(
                (host, work) =>
                {
                    host.ServicesStopConcurrently = true;
                    host.ShutdownTimeout = TimeSpan.FromSeconds(work.Value.DrainSeconds + StopSeconds);
                }
            );
        services.ConfigureHttpJsonOptions(json => Json.Configure(json.SerializerOptions));
        services.AddSingleton(strings);
        services.AddSingleton<Readiness>();
        services.AddSingleton<KnownPaths>();
        services.AddOpenApi("v1", ApiDocument.Configure);
        services.AddCors();
        TelemetrySetup.Add(builder);
        GlobalRateLimiter.Add(services, builder.Configuration.GetSection("Flood").Get<FloodOptions>() ?? new());
    }

    private static void UsePipeline(WebApplication app, IReadOnlyList<IModule> modules, ModuleContext context)
    {
        // Before anything reads the path.
        RequestPipeline.UsePathBase(app, context.Server);
        foreach (var module in modules)
        {
            module.UseBeforeRouting(app);
        }
        HeadRequests.Use(app);
        app.UseRouting();
        foreach (var module in modules)
        {
            module.UseAfterRouting(app);
        }
        RequestPipeline.Use(app, context.Server, context.ConsoleUrls);
        foreach (var module in modules)
        {
            module.UseBeforeEndpoints(app, context);
        }
    }

    private static void MapRoutes(WebApplication app, IReadOnlyList<IModule> modules, ModuleContext context)
    {
        var routes = new RouteGroups(app, context);
        foreach (var module in modules)
        {
            module.MapRoutes(routes);
        }
        routes.Complete();
        if (context.IsApi)
        {
            app.MapOpenApi("/openapi/{documentName}.json");
            // Its script is served from here and its fonts are the reader's own: the page asks nothing of anybody else.
            app.MapScalarApiReference(
                "/docs",
                page => page.WithTitle("Reelbase API").WithOpenApiRoutePattern("/openapi/v1.json").DisableDefaultFonts().WithNonce()
            );
        }
        TelemetrySetup.MapMetrics(app, app.Services.GetRequiredService<IOptions<TelemetryOptions>>().Value);
        HealthEndpoints.Map(app);
        RootEndpoint.Map(app, context);
    }
}
