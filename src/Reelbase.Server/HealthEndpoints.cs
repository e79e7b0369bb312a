using Reelbase.Server.Platform.Http;

namespace Reelbase.Server;

/// <summary>
/// What load balancers and operators ask. Not ready (503) means that this node can serve nobody; degraded (200) names what is away for all
/// nodes alike, for which taking this one out would help nobody.
/// </summary>
internal static class HealthEndpoints
{
    public static void Map(WebApplication app)
    {
        app.MapGet("/health/live", () => Results.Json(new { status = "live" }))
            .WithTags("Operations")
            .WithName("health-live")
            .WithSummary("The process is up")
            .Produces<object>()
            .Examples(null, new { status = "live" });
        app.MapGet("/health/ready", ReadyAsync)
            .WithTags("Operations")
            .WithName("health-ready")
            .WithSummary("What this node needs, one by one")
            .Produces<object>()
            .Produces<object>(503)
            .Examples(
                null,
                new
                {
                    status = "ready",
                    database = "ok",
                    storage = "ok",
                    room = "ok",
                    providers = new[] { "fal" },
                    failing_providers = Array.Empty<string>(),
                    device_check = "ok",
                    app_store = "ok",
                    apple_sign_in = "ok",
                    push = "off",
                    program = new
                    {
                        version = "0.1.0",
                        commit = "0123456789ab",
                        schema = "0069-1a2b3c4d",
                    },
                    installation = "0123456789abcdef",
                    outside = new
                    {
                        device_check = new
                        {
                            state = "failing",
                            last_success_at = "2026-01-31T10:00:00.000Z",
                            last_failure_at = "2026-01-31T10:05:00.000Z",
                            last_failure = "answered 401",
                        },
                    },
                    warnings = Array.Empty<string>(),
                }
            );
    }

    private static async Task<IResult> ReadyAsync(Readiness readiness)
    {
        var (status, body) = await readiness.GetAsync();
        return Results.Json(body, statusCode: status);
    }
}
