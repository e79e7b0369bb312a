using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Supabase.Functions;

/// <summary>What the SDKs expect of <c>/functions/v1</c> beside the functions themselves.</summary>
public static class FunctionCalls
{
    private const string Prefix = "/functions/v1";
    private static readonly string[] Prefixes = [Prefix, "/auth/v1", "/rest/v1", "/storage/v1", "/realtime/v1"];
    private static readonly string[] PlainTypes = ["text/plain", "application/octet-stream"];

    /// <summary>Puts paths and bodies right, before a route is chosen by them.</summary>
    public static void UseBeforeRouting(WebApplication app) => app.Use(NormalizeAsync);

    /// <summary>Marks errors by whether there is such a function, which the route says.</summary>
    public static void UseAfterRouting(WebApplication app) => app.Use(MarkRelayErrorsAsync);

    /// <summary>Marks what an SDK calls a failure of the platform: no such function, or a token that is none.</summary>
    private static Task MarkRelayErrorsAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.StartsWithSegments(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            var isFunction = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText?.StartsWith(Prefix, StringComparison.Ordinal) == true;
            context.Response.OnStarting(async () =>
            {
                var isRelayError = context.Response.StatusCode switch
                {
                    StatusCodes.Status404NotFound => !isFunction,
                    StatusCodes.Status401Unauthorized => await context.RequestServices.GetRequiredService<CallerResolver>().ReadAsync(context) is null,
                    _ => false,
                };
                if (isRelayError)
                {
                    context.Response.Headers["x-relay-error"] = "true";
                }
            });
        }
        return next(context);
    }

    private static Task NormalizeAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (request.Path.Value is { } path && path.StartsWith("//", StringComparison.Ordinal))
        {
            var single = new PathString("/" + path.TrimStart('/'));
            if (Prefixes.Any(prefix => single.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase)))
            {
                request.Path = single;
            }
        }
        if (
            request.Path.StartsWithSegments(Prefix, StringComparison.OrdinalIgnoreCase)
            && (request.ContentLength > 0 || request.Headers.ContainsKey("Transfer-Encoding"))
            && (request.ContentType is null || PlainTypes.Any(type => request.ContentType.StartsWith(type, StringComparison.OrdinalIgnoreCase)))
        )
        {
            request.ContentType = "application/json";
        }
        return next(context);
    }
}
