namespace Reelbase.Server.Platform.Http;

/// <summary>HEAD wherever GET is answered: the same status and headers; the web server leaves the body out.</summary>
public static class HeadRequests
{
    /// <summary>Adds it to the pipeline, before its routing.</summary>
    public static void Use(WebApplication app)
    {
        var known = app.Services.GetRequiredService<KnownPaths>();
        app.Use((context, next) => AnswerAsync(context, next, known));
    }

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next, KnownPaths known)
    {
        var request = context.Request;
        // What asks for a WebSocket by HEAD asks for nothing that GET would answer.
        if (!HttpMethods.IsHead(request.Method) || request.Headers.ContainsKey("Upgrade") || !known.TakesGetWithoutHead(request.Path))
        {
            await next(context);
            return;
        }
        request.Method = HttpMethods.Get;
        if (request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase))
        {
            // It would go on without a reader.
            request.Headers.Remove("Accept");
        }
        try
        {
            await next(context);
        }
        finally
        {
            // Logs and metrics are written after this, and name what was sent.
            request.Method = HttpMethods.Head;
        }
    }
}
