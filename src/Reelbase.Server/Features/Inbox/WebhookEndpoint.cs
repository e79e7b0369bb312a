using System.Security.Cryptography;
using System.Text;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Inbox;

/// <summary>The answer to a webhook.</summary>
public sealed record WebhookResponse(bool Success);

/// <summary><c>POST /webhooks/{provider}/{token}</c>: check the signature, store, answer. The worker does the rest.</summary>
public static class WebhookEndpoint
{
    /// <summary>The largest event that is taken.</summary>
    public const int MaxBodyBytes = 1024 * 1024;
    private const int MaxTokenLength = 200;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/webhooks/{provider}/{token}", HandleAsync)
            .WithTags("ProviderCallbacks")
            .WithName("provider-webhook")
            .WithSummary("A provider reports the end of a job")
            .Accepts<object>("application/json")
            .Produces<WebhookResponse>()
            .Fails(400, 401, 404, 413, 503)
            .Examples(null, new WebhookResponse(true));

    private static async Task<IResult> HandleAsync(
        string provider,
        string token,
        HttpContext context,
        VideoProviders providers,
        ApiDatabase database,
        ChangeFeed feed
    )
    {
        if (providers.Find(provider) is not { HasWebhooks: true } adapter || token.Length > MaxTokenLength)
        {
            throw new ApiException(ErrorCodes.NotFound, new { what = "webhook" });
        }
        // The signature is over the bytes as sent, so nothing may parse them first.
        var body = await RequestBody.ReadBytesAsync(context, MaxBodyBytes);
        var inbound = await adapter.VerifyWebhookAsync(context.Request.Headers, body, context.RequestAborted) switch
        {
            InboundEvent.Genuine genuine => genuine,
            InboundEvent.Unreadable unreadable => throw new ApiException(ErrorCodes.MalformedRequest, new { reason = unreadable.Reason }),
            _ => throw new ApiException(ErrorCodes.Unauthorized, new { reason = "bad_signature" }),
        };
        var isNew = await database.ScalarAsync<bool>(
            "select store_webhook_delivery($1, $2, $3, $4, $5::jsonb, $6, $7::text, $8::bytea)",
            context.RequestAborted,
            provider,
            SHA256.HashData(Encoding.UTF8.GetBytes(token)),
            inbound.EventId,
            inbound.EventType,
            StorableJson.Of(body),
            inbound.ProviderJobId,
            Platform.Telemetry.Trace.Parent,
            body
        );
        if (isNew)
        {
            feed.Publish(WebhookWorker.WakeTopic);
        }
        return Json.Result(new WebhookResponse(true));
    }
}
