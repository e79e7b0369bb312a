using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>Why a handshake is refused, as Supabase's realtime service says it.</summary>
public sealed record RealtimeError(string Error);

/// <summary>Errors under <c>/realtime/v1</c> that end a request before the endpoint, in that form.</summary>
public sealed class RealtimeErrors : IErrorShape
{
    /// <inheritdoc/>
    public string Prefix => "/realtime/v1";

    /// <inheritdoc/>
    public (int Status, object Body) Describe(HttpContext context, ApiException error) =>
        (error.Status, new RealtimeError(ErrorCatalog.Find(error.Code).Message("en", error.Details)));
}

/// <summary><c>/realtime/v1/websocket</c>: channels of Supabase's clients, with the changes of the caller's own rows.</summary>
internal sealed class RealtimeEndpoint(
    SupabaseCallers callers,
    RealtimeSockets sockets,
    LiveConnections connections,
    IOptions<ServerOptions> server,
    ILogger<RealtimeEndpoint> logger
)
{
    private const string Path = "/realtime/v1/websocket";

    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<IErrorShape, RealtimeErrors>();
        services.AddSingleton<RealtimeColumns>();
        services.AddSingleton<ChangeRecord>();
        services.AddSingleton<RealtimeEndpoint>();
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pipeline = routes.CreateApplicationBuilder();
        // Clients send heartbeats, and Realtime:IdleSeconds ends those who do not: no timer for each socket.
        pipeline.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        pipeline.Run(context => context.RequestServices.GetRequiredService<RealtimeEndpoint>().HandleAsync(context));
        // CONNECT is how HTTP/2 opens one.
        routes.MapMethods(Path, ["GET", "CONNECT"], pipeline.Build()).ExcludeFromDescription();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var known = await callers.ReadAsync(context);
        if (known.Caller is null)
        {
            await RefuseAsync(
                context,
                StatusCodes.Status401Unauthorized,
                known.Fault switch
                {
                    KeyFault.NoKey => "No API key found in request",
                    KeyFault.ExpiredToken => "Token has expired",
                    _ => "Invalid API key",
                }
            );
            return;
        }
        var version = context.Request.Query["vsn"].ToString();
        if (version is not ("" or "1.0.0" or "2.0.0"))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "vsn is 1.0.0 or 2.0.0");
            return;
        }
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            await RefuseAsync(context, StatusCodes.Status426UpgradeRequired, "This address takes websockets only");
            return;
        }
        if (!sockets.Take())
        {
            await RefuseAsync(context, StatusCodes.Status429TooManyRequests, "Too many connections");
            return;
        }
        try
        {
            using var place = connections.OpenAddress(context.Connection.RemoteIpAddress);
            // A duration of hours would make those of requests useless.
            if (context.Features.Get<IHttpMetricsTagsFeature>() is { } metrics)
            {
                metrics.MetricsDisabled = true;
            }
            var address = server.Value.LinkBase(context.Request);
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            // The key was read; a socket may be open for hours.
            context.Request.Query = QueryCollection.Empty;
            await sockets.RunAsync(new RealtimeSocket(sockets, context, socket, known.Caller, version == "2.0.0", address));
        }
        catch (Exception error) when (context.Response.HasStarted)
        {
            logger.LogError(error, "A socket ended in a fault of ours");
            context.Abort();
        }
        finally
        {
            sockets.GiveBack();
        }
    }

    private static Task RefuseAsync(HttpContext context, int status, string error) => Json.Result(new RealtimeError(error), status).ExecuteAsync(context);
}
