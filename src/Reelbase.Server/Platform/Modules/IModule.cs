namespace Reelbase.Server.Platform.Modules;

/// <summary>
/// All of the wiring of one feature or one outside system, in one class in its folder. A module says only what it has; <c>Modules.cs</c> lists them, and
/// nothing else names them. Everything is called in the order of that list.
/// </summary>
public interface IModule
{
    /// <summary>What documents call it: the name of its class without <c>Module</c>.</summary>
    string Name => GetType().Name is var name && name.EndsWith("Module", StringComparison.Ordinal) ? name[..^"Module".Length] : name;

    /// <summary>The tables that it answers for: their shape, who may write them, what bounds them. Each table has one owner.</summary>
    IReadOnlyList<string> OwnedTables => [];

    /// <summary>What admins can do and see of it: each becomes a route of the admin API, and something that console pages call.</summary>
    IReadOnlyList<AdminOperation> AdminOperations => [];

    /// <summary>Its pages in the console's menu.</summary>
    IReadOnlyList<MenuEntry> MenuEntries => [];

    /// <summary>Its sections of the configuration.</summary>
    void AddOptions(OptionsRegistry options) { }

    /// <summary>Its services, by the roles of this process.</summary>
    void AddServices(IServiceCollection services, ModuleContext context) { }

    /// <summary>Its background work, by role.</summary>
    void AddWorkers(WorkerRegistry workers) { }

    /// <summary>Refuses to start on what only the built services can show, such as a missing key.</summary>
    void CheckAtStart(IServiceProvider services, ModuleContext context) { }

    /// <summary>Middleware that changes a request before a route is chosen for it.</summary>
    void UseBeforeRouting(WebApplication app) { }

    /// <summary>Middleware that needs to know the route, before everything else that each request passes.</summary>
    void UseAfterRouting(WebApplication app) { }

    /// <summary>Middleware of its own routes, after everything that each request passes.</summary>
    void UseBeforeEndpoints(WebApplication app, ModuleContext context) { }

    /// <summary>Its routes and its console pages, by the roles of this process.</summary>
    void MapRoutes(RouteGroups routes) { }
}
