using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server;

/// <summary>
/// What load balancers and operators ask. Not ready (503) means that this node can serve nobody; degraded (200) names what is away for all
/// nodes alike, for which taking this one out would help nobody.
/// </summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(3);

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
                    providers = new[] { "fal" },
                    failing_providers = Array.Empty<string>(),
                    device_check = "ok",
                    app_store = "ok",
                    apple_sign_in = "ok",
                    push = "off",
                }
            );
    }

    private static async Task<IResult> ReadyAsync(
        HttpContext context,
        WorkerDatabase database,
        VideoProviders providers,
        IFileStore files,
        IServiceProvider services
    )
    {
        List<string> failing;
        try
        {
            if (!await database.IsWritableAsync(context.RequestAborted))
            {
                return Results.Json(new { status = "not_ready", database = "read_only" }, statusCode: 503);
            }
            failing = await database.ListAsync<string>("select provider from list_outages()", context.RequestAborted);
        }
        catch (NpgsqlException)
        {
            return Results.Json(new { status = "not_ready", database = "unreachable" }, statusCode: 503);
        }
        var storage = await ProbeAsync(files, context.RequestAborted);
        return Results.Json(
            new
            {
                status = storage == "ok" && failing.Count == 0 ? "ready" : "degraded",
                database = "ok",
                storage,
                providers = providers.All.Select(provider => provider.Name),
                failing_providers = failing,
                device_check = Say(services.GetRequiredService<IOptions<DeviceCheckOptions>>().Value.IsConfigured),
                app_store = Say(services.GetRequiredService<IOptions<AppStoreOptions>>().Value.CanAsk),
                apple_sign_in = Say(services.GetRequiredService<IOptions<AppleSignInOptions>>().Value.CanVerify),
                push = Say(services.GetRequiredService<IOptions<ApnsOptions>>().Value.IsConfigured),
            }
        );
    }

    private static async Task<string> ProbeAsync(IFileStore files, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ProbeLimit);
        try
        {
            await files.ExistsAsync("videos", "health-probe", limit.Token);
            return "ok";
        }
        catch (Exception error) when (error is IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return "unreachable";
        }
    }

    private static string Say(bool isOn) => isOn ? "ok" : "off";
}
