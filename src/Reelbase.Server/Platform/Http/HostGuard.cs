using Microsoft.Extensions.Primitives;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Http;

/// <summary>
/// Answers only to the names that are ours, so that no link, redirect or cached page can be made to carry a stranger's. Load balancers ask for health by
/// address, so health and metrics take any name. Without <c>Server:PublicUrl</c> and <c>Server:AllowedHosts</c> nothing is known to compare with.
/// </summary>
public static class HostGuard
{
    private static readonly string[] AnyHost = ["/health/live", "/health/ready", "/metrics"];
    private static readonly string[] Loopback = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>Adds the check, when there is something to check against.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="server">Its public address and further names.</param>
    /// <param name="more">Further addresses that it listens on, the console's own for example.</param>
    public static void Use(WebApplication app, ServerOptions server, IReadOnlyList<string?> more)
    {
        var names = new[] { server.PublicUrl }
            .Concat(more)
            .Select(url => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.Host : null)
            .OfType<string>()
            .Concat(server.AllowedHosts)
            .Select(name => new StringSegment(name))
            .ToList();
        if (server.PublicUrl is null or "" && server.AllowedHosts.Length == 0)
        {
            return;
        }
        if (app.Environment.IsDevelopment())
        {
            names.AddRange(Loopback.Select(name => new StringSegment(name)));
        }
        app.Use(
            (context, next) =>
                AnyHost.Contains(context.Request.Path.Value, StringComparer.OrdinalIgnoreCase) || HostString.MatchesAny(context.Request.Host.Host, names)
                    ? next(context)
                    : throw new ApiException(ErrorCodes.MalformedRequest, new { reason = "unknown_host" })
        );
    }
}
