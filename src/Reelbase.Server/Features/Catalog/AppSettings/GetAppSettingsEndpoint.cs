using System.Text.Json;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Catalog.AppSettings;

/// <summary>The app's flags: JSON values by key.</summary>
public sealed record AppSettingsResponse(JsonElement Settings);

/// <summary><c>GET /get-app-settings</c>: public, cacheable by its strong ETag.</summary>
public static class GetAppSettingsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/get-app-settings", HandleAsync)
            .WithTags("AppSettings")
            .WithName("get-app-settings")
            .WithSummary("Flags of the app that operators change without a new build")
            .Header("If-None-Match", "An ETag from before; 304 when nothing changed")
            .Produces<AppSettingsResponse>()
            .Produces(304)
            .Fails(503)
            .Examples(
                null,
                new AppSettingsResponse(
                    JsonSerializer.SerializeToElement(new Dictionary<string, object> { ["new_onboarding"] = true, ["paywall.style"] = "gold" })
                )
            );

    private static async Task<IResult> HandleAsync(HttpContext context, ApiDatabase database)
    {
        var text = (await database.ListAsync<string>(Caller.Anonymous, "select get_app_settings()::text", context.RequestAborted))[0];
        using var settings = JsonDocument.Parse(text);
        return TaggedJson.Result(context, new AppSettingsResponse(settings.RootElement));
    }
}
