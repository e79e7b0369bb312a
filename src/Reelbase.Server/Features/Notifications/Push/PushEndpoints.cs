using System.Text.RegularExpressions;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Notifications.Push;

/// <summary>A phone that gets pushes, and how.</summary>
/// <param name="Token">Apple's device token, hexadecimal.</param>
/// <param name="Environment">production (the default) for builds from the App Store and TestFlight, sandbox for builds from Xcode.</param>
/// <param name="Kind">alert (the default): shown to the user. background: only wakes the app.</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record RegisterPushTokenRequest(string? Token = null, string? Environment = null, string? Kind = null, string? UserId = null)
{
    public RegisterPushTokenRequest()
        : this(Token: null) { }
}

/// <summary>It is noted.</summary>
public sealed record PushTokenResponse(bool Success);

/// <summary>Which phones get a push when a video is done.</summary>
public static partial class PushEndpoints
{
    /// <summary>Phones of one user; of more, the one registered longest ago goes.</summary>
    private const int MaxTokensPerUser = 20;

    public static void MapPush(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPost("/register-push-token", RegisterAsync)
            .WithTags("Push")
            .WithName("register-push-token")
            .WithSummary("Send this phone a push when a video is done")
            .RequiresUser()
            .Accepts<RegisterPushTokenRequest>("application/json")
            .Produces<PushTokenResponse>()
            .Fails(400, 401, 403, 404, 413, 415, 503)
            .Examples(
                new
                {
                    token = "0f744707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad",
                    environment = "production",
                    kind = "alert",
                },
                new PushTokenResponse(true)
            );
        routes
            .MapDelete("/register-push-token", ForgetAsync)
            .WithTags("Push")
            .WithName("forget-push-token")
            .WithSummary("Send this phone no more pushes")
            .RequiresUser()
            .Query("token", "Apple's device token", required: true)
            .Query("user_id", "Optional; must be the caller")
            .Produces<PushTokenResponse>()
            .Fails(400, 401, 403, 404, 503)
            .Examples(null, new PushTokenResponse(true));
    }

    private static async Task<IResult> RegisterAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var request = await RequestBody.ReadAsync<RegisterPushTokenRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        var token = Normalize(request.Token);
        var environment = request.Environment ?? "production";
        var kind = request.Kind ?? "alert";
        if (environment is not ("production" or "sandbox"))
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "environment", "production_or_sandbox");
        }
        if (kind is not ("alert" or "background"))
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "kind", "alert_or_background");
        }
        await database.ExecuteAsync(caller, "select register_push_token($1, $2, $3, $4)", context.RequestAborted, token, environment, kind, MaxTokensPerUser);
        return Json.Result(new PushTokenResponse(true));
    }

    private static async Task<IResult> ForgetAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var caller = await callers.RequireUserAsync(context);
        await database.ExecuteAsync(caller, "select forget_push_token($1)", context.RequestAborted, Normalize(context.Request.Query["token"].FirstOrDefault()));
        return Json.Result(new PushTokenResponse(true));
    }

    /// <summary>Apple's tokens have no fixed length, are even in digits, and are written in either case.</summary>
    private static string Normalize(string? token) =>
        token is { } text && DeviceToken().IsMatch(text)
            ? text.ToLowerInvariant()
            : throw ApiException.Field(ErrorCodes.MalformedRequest, "token", "hexadecimal_device_token");

    [GeneratedRegex("^([0-9A-Fa-f]{2}){16,200}\\z")]
    private static partial Regex DeviceToken();
}
