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

    /// <summary>What a path takes, with the HEAD that comes with GET, as the header <c>Allow</c> lists it; empty when the path is not one of ours or takes anything.</summary>
    public string[] MethodsOf(PathString path)
    {
        var methods = MethodsBy(path);
        return methods.Contains(null)
            ? []
            :
            [
                .. methods
                    .SelectMany(taken => taken!.Contains(HttpMethods.Get) ? [.. taken!, HttpMethods.Head] : taken!)
                    .Distinct(StringComparer.OrdinalIgnoreCase)
                    .Order(StringComparer.Ordinal),
            ];
    }

    /// <summary>Whether the path is one of ours and takes the method.</summary>
    public bool Takes(HttpRequest request) =>
        MethodsBy(request.Path).Exists(taken => taken?.Contains(request.Method, StringComparer.OrdinalIgnoreCase) != false);

    /// <summary>Whether GET is taken there, and HEAD by nobody.</summary>
    public bool TakesGetWithoutHead(PathString path)
    {
        var methods = MethodsBy(path);
        return methods.Exists(taken => taken?.Contains(HttpMethods.Get) == true) && methods.TrueForAll(taken => taken?.Contains(HttpMethods.Head) == false);
    }

    /// <summary>404 for a path that there is not, 405 for one that does not take the method; what an endpoint itself answered stays.</summary>
    public int StatusOf(HttpRequest request, int status)
    {
        var methods = MethodsBy(request.Path);
        return status switch
        {
            405 => methods.Count == 0 ? 404 : 405,
            404 => methods.Count > 0 && methods.TrueForAll(taken => taken?.Contains(request.Method, StringComparer.OrdinalIgnoreCase) == false) ? 405 : 404,
            _ => status,
        };
    }

    private List<IReadOnlyList<string>?> MethodsBy(PathString path) =>
        _paths.Value.Where(known => known.Path.TryMatch(path, [])).Select(known => known.Methods).ToList();

    private static bool TakesEveryPath(RoutePattern pattern) => pattern.PathSegments is [{ Parts: [RoutePatternParameterPart { IsCatchAll: true }] }];
}
