using System.Reflection;

namespace Reelbase.Server.Platform.Modules;

/// <summary>What modules may go by while the program is put together.</summary>
/// <param name="builder">The program so far; its settings have been checked.</param>
/// <param name="server">What this process does.</param>
/// <param name="modules">All of them: those of this program first, then what was added to it.</param>
public sealed class ModuleContext(WebApplicationBuilder builder, ServerOptions server, IReadOnlyList<IModule> modules)
{
    /// <summary>The program so far.</summary>
    public WebApplicationBuilder Builder => builder;

    /// <summary>What this process does and how it is reached.</summary>
    public ServerOptions Server => server;

    /// <summary>Whether it serves apps.</summary>
    public bool IsApi { get; } = server.Has("api");

    /// <summary>Whether it works in the background.</summary>
    public bool IsWorker { get; } = server.Has("worker");

    /// <summary>Whether it serves the support team.</summary>
    public bool IsAdmin { get; } = server.Has("admin");

    /// <summary>Whether it is in Production.</summary>
    public bool IsProduction { get; } = builder.Environment.IsProduction();

    /// <summary>All modules, for what is made of the contributions of each.</summary>
    public IReadOnlyList<IModule> Modules => modules;

    /// <summary>Assemblies beside this program whose modules joined; their console pages are served too.</summary>
    public IReadOnlyList<Assembly> OtherAssemblies { get; } = [.. modules.Select(module => module.GetType().Assembly).Distinct().Skip(1)];

    /// <summary>Addresses that are the console's own, if it has any.</summary>
    public IReadOnlyList<string?> ConsoleUrls { get; } = [builder.Configuration["Admin:ListenUrl"], builder.Configuration["Admin:PublicUrl"]];

    /// <summary>A section, for wiring that depends on it.</summary>
    public T Read<T>(string section)
        where T : class, new() => builder.Configuration.GetSection(section).Get<T>() ?? new();
}
