namespace Reelbase.Server.Platform.Modules;

/// <summary>Where modules map their routes.</summary>
public sealed class RouteGroups
{
    /// <summary>Where Supabase's clients look for functions.</summary>
    private const string FunctionsPrefix = "/functions/v1";

    private readonly RouteGroupBuilder _functions;

    /// <summary>Begins with no routes.</summary>
    public RouteGroups(WebApplication app, ModuleContext context)
    {
        Root = app;
        Context = context;
        _functions = app.MapGroup("");
        // The same routes once more, as one group: each is mapped once, by its module. (A path base would cut the prefix off instead, and with it what metrics and
        // error_log say of such a request; and the console, the documents and the health of the server would answer below it too.)
        var prefixed = app.MapGroup(FunctionsPrefix);
        prefixed.ExcludeFromDescription();
        ((IEndpointConventionBuilder)prefixed).Finally(RemoveNames);
        Prefixed = prefixed;
    }

    /// <summary>Routes that are at one address only.</summary>
    public IEndpointRouteBuilder Root { get; }

    /// <summary>What apps and the support team call: at the root, and below <c>/functions/v1</c> where Supabase's clients look for it.</summary>
    public IEndpointRouteBuilder Functions => _functions;

    /// <summary>The roles of this process, and its settings.</summary>
    public ModuleContext Context { get; }

    private IEndpointRouteBuilder Prefixed { get; }

    /// <summary>Serves the functions below their second address too, when all are mapped.</summary>
    public void Complete()
    {
        foreach (var source in Functions.DataSources)
        {
            Prefixed.DataSources.Add(source);
        }
    }

    /// <summary>A name belongs to one address: the one that the API document shows.</summary>
    private static void RemoveNames(EndpointBuilder endpoint)
    {
        foreach (var name in endpoint.Metadata.Where(metadata => metadata is IEndpointNameMetadata or IRouteNameMetadata).ToList())
        {
            endpoint.Metadata.Remove(name);
        }
    }
}
