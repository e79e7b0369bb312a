using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Sessions.SignIn;

/// <summary>What Apple sends about an Apple account.</summary>
/// <param name="Payload">The event, signed by Apple.</param>
public sealed record AppleAccountEventRequest(string? Payload = null)
{
    public AppleAccountEventRequest()
        : this(Payload: null) { }
}

/// <summary>The answer, of which Apple reads the status only.</summary>
public sealed record AppleAccountEventResponse(bool Success);

/// <summary><c>POST /apple-account-events</c>: Apple notifies that a permission was taken back or an Apple account deleted. Verified, stored once, answered.</summary>
public static class AppleAccountEventsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/apple-account-events", HandleAsync)
            .WithTags("SignIn")
            .WithName("apple-account-events")
            .WithSummary("Apple notifies what became of an Apple account")
            .Accepts<AppleAccountEventRequest>("application/json", "application/x-www-form-urlencoded")
            .Produces<AppleAccountEventResponse>()
            .Fails(400, 401, 413, 415, 503)
            .Examples(new { payload = "eyJ..." }, new AppleAccountEventResponse(true));

    private static async Task<IResult> HandleAsync(HttpContext context, AppleTokens tokens, ApiDatabase database, ChangeFeed feed)
    {
        var payload = await ReadPayloadAsync(context);
        AppleAccountEvent? happened;
        try
        {
            happened = await tokens.ReadEventAsync(payload, context.RequestAborted);
        }
        catch (VendorKeysUnavailableException error)
        {
            // Apple comes again.
            throw new ApiException(ErrorCodes.InternalError, new { reason = "apple_unavailable" }, error, 503);
        }
        if (happened is null)
        {
            throw new ApiException(ErrorCodes.Unauthorized, new { reason = "bad_signature" });
        }
        var isNew = await database.ScalarAsync<bool>(
            "select store_inbox_message('apple_account', $1, $2, $3::jsonb)",
            context.RequestAborted,
            // Hashed, because an event without an id of its own is named by the account.
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(happened.Id))),
            happened.Type,
            JsonSerializer.Serialize(
                new
                {
                    type = happened.Type,
                    sub = happened.Subject,
                    at = happened.At,
                }
            )
        );
        if (isNew)
        {
            feed.Publish(AppleAccountEventWorker.WakeTopic);
        }
        return Json.Result(new AppleAccountEventResponse(true));
    }

    /// <summary>The payload of a JSON body as documented, or of a form's field, as Apple's services send it too.</summary>
    private static async Task<string?> ReadPayloadAsync(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
        {
            return (await RequestBody.ReadAsync<AppleAccountEventRequest>(context)).Payload;
        }
        var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(await RequestBody.ReadBytesAsync(context, RequestBody.MaxJsonBytes)));
        return form.TryGetValue("payload", out var values) ? values.ToString() : null;
    }
}
