using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Telemetry;

namespace Reelbase.Server.Platform.Http;

/// <summary>What every request passes before a route is looked for, in its order.</summary>
public static class RequestPipeline
{
    /// <summary>Adds it to the pipeline.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="server">Who is trusted and how this server is called.</param>
    /// <param name="consoleUrls">The console's own addresses, if it has any.</param>
    public static void Use(WebApplication app, ServerOptions server, IReadOnlyList<string?> consoleUrls)
    {
        UseForwardedAddresses(app, server);
        app.Use(ClientAddress.NormalizeAsync);
        app.Use(IncomingTraces.LinkAsync);
        app.Use(PacedBodyStream.UseAsync);
        app.UseExceptionHandler(_ => { });
        app.Use((context, next) => ResponseHeaders(context, next, server));
        HostGuard.Use(app, server, consoleUrls);
        UseCors(app, server);
        GlobalRateLimiter.Use(app, app.Services.GetRequiredService<IOptions<FloodOptions>>().Value);
        var known = app.Services.GetRequiredService<KnownPaths>();
        app.Use((context, next) => UnknownRoutes(context, next, known));
        app.Use(CallerFirst.RequireAsync);
    }

    /// <summary>
    /// Takes the sub-path off, before anything reads the path. A proxy that takes it off itself, and whoever asks a node for its health, come without it and
    /// are answered too.
    /// </summary>
    /// <param name="app">The pipeline, before its routing: the framework's own middleware would look for a route at once.</param>
    /// <param name="server">The sub-path.</param>
    public static void UsePathBase(WebApplication app, ServerOptions server)
    {
        if (server.PathBase is not { Length: > 0 } below)
        {
            return;
        }
        app.Use(
            (context, next) =>
            {
                if (context.Request.Path.StartsWithSegments(below, StringComparison.Ordinal, out var rest))
                {
                    context.Request.PathBase = below;
                    context.Request.Path = rest.HasValue ? rest : "/";
                }
                return next(context);
            }
        );
    }

    /// <summary>The true address of a caller: forwarded ones count only behind configured proxies.</summary>
    private static void UseForwardedAddresses(WebApplication app, ServerOptions server)
    {
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = 5 };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in server.TrustedNetworks(app.Environment.IsDevelopment()))
        {
            forwarded.KnownIPNetworks.Add(network);
        }
        var watch = app.Services.GetRequiredService<ForwardingMonitor>();
        app.Use(
            (context, next) =>
            {
                // What a trusted proxy leaves unread was said to it by somebody else: only the peer's own address counts.
                if (ClientAddress.Forwards(context) && context.Connection.RemoteIpAddress is { } peer && !IsTrusted(forwarded, peer))
                {
                    watch.Note(peer);
                }
                return next(context);
            }
        );
        // With no proxy at all the middleware would believe everybody.
        if (forwarded.KnownIPNetworks.Count > 0)
        {
            app.UseForwardedHeaders(forwarded);
        }
    }

    private static bool IsTrusted(ForwardedHeadersOptions forwarded, System.Net.IPAddress peer)
    {
        var plain = ClientAddress.Normalize(peer);
        return forwarded.KnownIPNetworks.Any(network => network.Contains(plain));
    }

    /// <summary>
    /// Browsers of these origins may call and read; credentials travel in a header and never in a cookie. In Development without a list any origin may: a page
    /// that is being made has another port every day.
    /// </summary>
    private static void UseCors(WebApplication app, ServerOptions server)
    {
        var isOpen = app.Environment.IsDevelopment() && server.CorsOrigins.Length == 0;
        if (isOpen || server.CorsOrigins.Length > 0)
        {
            app.UseCors(policy =>
                (isOpen ? policy.AllowAnyOrigin() : policy.WithOrigins(server.CorsOrigins))
                    .WithMethods("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
                    .AllowAnyHeader()
                    .WithExposedHeaders(
                        "X-RateLimit-Limit",
                        "X-RateLimit-Remaining",
                        "X-RateLimit-Reset",
                        "Retry-After",
                        "X-Idempotent-Replay",
                        "Content-Range",
                        "ETag",
                        "x-supabase-api-version",
                        "x-sb-error-code",
                        "x-relay-error"
                    )
                    .SetPreflightMaxAge(TimeSpan.FromHours(1))
            );
        }
    }

    /// <summary>
    /// What every answer says to browsers and caches: guess no types, stand in no frame, pass no address on; keep nothing, unless the endpoint has said
    /// otherwise, since most of what is served is somebody's own; and over TLS, come back over TLS.
    /// </summary>
    private static Task ResponseHeaders(HttpContext context, RequestDelegate next, ServerOptions server)
    {
        // At the last moment, because an error answer begins with no headers at all.
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            BrowserPolicy.Set(context);
            BrowserPolicy.AddHeaders(context);
            if (headers.CacheControl.Count == 0)
            {
                headers.CacheControl = "no-store";
            }
            if (context.Request.IsHttps)
            {
                // Below somebody's host the names beside and under it are theirs.
                headers.StrictTransportSecurity = server.PathBase is { Length: > 0 } ? "max-age=31536000" : "max-age=31536000; includeSubDomains";
            }
            return Task.CompletedTask;
        });
        return next(context);
    }

    /// <summary>What no route takes is an error of the catalogue too: 404, 405 and 415 keep their status.</summary>
    private static async Task UnknownRoutes(HttpContext context, RequestDelegate next, KnownPaths known)
    {
        await next(context);
        if (
            !context.Response.HasStarted
            && context.Response.StatusCode is 404 or 405 or 415
            && context.Response.ContentLength is null
            && context.Response.ContentType is null
        )
        {
            var status = known.StatusOf(context.Request, context.Response.StatusCode);
            object details = status switch
            {
                404 => new { reason = "unknown_route" },
                415 => new { reason = "media_type", expected = "application/json" },
                _ => new { reason = "not_allowed" },
            };
            if (status == 405)
            {
                context.Response.Headers.Allow = string.Join(", ", known.MethodsOf(context.Request.Path));
            }
            await context
                .RequestServices.GetRequiredService<ErrorWriter>()
                .WriteAsync(context, new ApiException(ErrorCodes.MalformedRequest, details, status: status));
        }
    }
}
