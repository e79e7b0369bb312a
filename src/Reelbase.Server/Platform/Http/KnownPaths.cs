using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;

namespace Reelbase.Server.Platform.Http;

/// <summary>
/// Whether a path is one of ours, and a method one of its own. The console's pages take any path with GET, so that for ASP.NET Core every unknown path
/// looks like a known one with a wrong method, and a known one with a wrong GET seems unknown.
/// </summary>
public sealed class KnownPaths(IEnumerable<EndpointDataSource> sources)
{
    private readonly Lazy<List<(TemplateMatcher Path, IReadOnlyList<string>? Methods)>> _paths = new(() =>
        sources
            .SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Where(endpoint => !TakesEveryPath(endpoint.RoutePattern))
            .Select(endpoint =>
                (new TemplateMatcher(new RouteTemplate(endpoint.RoutePattern), []), endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods)
            )
            .ToList()
    );

    /// <summary>404 for a path that there is not, 405 for one that does not take the method; what an endpoint itself answered stays.</summary>
    public int StatusOf(HttpRequest request, int status)
    {
        var methods = _paths.Value.Where(known => known.Path.TryMatch(request.Path, [])).Select(known => known.Methods).ToList();
        return status switch
        {
            405 => methods.Count == 0 ? 404 : 405,
            404 => methods.Count > 0 && methods.TrueForAll(taken => taken?.Contains(request.Method, StringComparer.OrdinalIgnoreCase) == false) ? 405 : 404,
            _ => status,
        };
    }

    private static bool TakesEveryPath(RoutePattern pattern) => pattern.PathSegments is [{ Parts: [RoutePatternParameterPart { IsCatchAll: true }] }];
}
