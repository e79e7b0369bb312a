using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server;

/// <summary>What the bare address says to whoever opens it first: what this is and where to go on.</summary>
internal static class RootEndpoint
{
    public static void Map(WebApplication app, ModuleContext context) =>
        app.MapGet(
                "/",
                (HttpRequest request) =>
                {
                    var links = new Dictionary<string, string> { ["name"] = "Reelbase", ["health"] = request.PathBase + "/health/ready" };
                    if (context.IsApi)
                    {
                        links["docs"] = request.PathBase + "/docs";
                        links["openapi"] = request.PathBase + "/openapi/v1.json";
                    }
                    return links;
                }
            )
            .ExcludeFromDescription();
}
