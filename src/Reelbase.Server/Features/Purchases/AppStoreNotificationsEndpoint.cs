using System.Text.Json;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Purchases;

/// <summary>What the App Store sends.</summary>
/// <param name="SignedPayload">The notification, signed by Apple.</param>
public sealed record AppStoreNotification([property: System.Text.Json.Serialization.JsonPropertyName("signedPayload")] string? SignedPayload = null)
{
    public AppStoreNotification()
        : this(SignedPayload: null) { }
}

/// <summary>The answer to the App Store, which reads its status only.</summary>
public sealed record AppStoreNotificationResponse(bool Success);

/// <summary>
/// <c>POST /apple-server-notifications</c>: App Store Server Notifications, version 2. Verified, stored once by its UUID, answered; the
/// worker does the rest. A database that is away is 503, so that Apple comes again.
/// </summary>
public static class AppStoreNotificationsEndpoint
{
    private const int MaxBodyBytes = 256 * 1024;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/apple-server-notifications", HandleAsync)
            .WithTags("Purchases")
            .WithName("apple-server-notifications")
            .WithSummary("The App Store notifies of purchases and refunds")
            .Accepts<AppStoreNotification>("application/json")
            .Produces<AppStoreNotificationResponse>()
            .Fails(400, 401, 413, 415, 503)
            .Examples(new { signedPayload = "eyJ..." }, new AppStoreNotificationResponse(true));

    private static async Task<IResult> HandleAsync(HttpContext context, SignedData signedData, ApiDatabase database, ChangeFeed feed)
    {
        var request = await RequestBody.ReadAsync<AppStoreNotification>(context, maxBytes: MaxBodyBytes);
        if (signedData.ReadNotification(request.SignedPayload, out _) is not { } notification)
        {
            throw new ApiException(ErrorCodes.Unauthorized, new { reason = "bad_signature" });
        }
        if (await StoreAsync(database, notification, request.SignedPayload!, context.RequestAborted))
        {
            feed.Publish(AppStoreNotificationWorker.WakeTopic);
        }
        return Json.Result(new AppStoreNotificationResponse(true));
    }

    /// <summary>Puts a verified notification into the inbox; true when it is new.</summary>
    internal static async Task<bool> StoreAsync(
        RoleDatabase database,
        SignedNotification notification,
        string signedPayload,
        CancellationToken cancellationToken
    ) =>
        await database.ScalarAsync<bool>(
            "select store_inbox_message('app_store', $1, $2, $3::jsonb)",
            cancellationToken,
            notification.Uuid,
            notification.Type,
            JsonSerializer.Serialize(new { signedPayload })
        );
}
