using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Idempotency;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Credits.PromoCodes;

/// <summary>A code to redeem.</summary>
/// <param name="Code">As it was written; capitals, blanks and dashes make no difference.</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record RedeemPromoCodeRequest(string? Code = null, string? UserId = null)
{
    public RedeemPromoCodeRequest()
        : this(Code: null) { }
}

/// <summary>What it gave, and the balance now.</summary>
public sealed record RedeemPromoCodeResponse(bool Success, int CreditsAdded, int CreditsRemaining);

/// <summary><c>POST /redeem-promo-code</c>: once for each account, device and Apple subject.</summary>
public static class RedeemPromoCodeEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/redeem-promo-code", HandleAsync)
            .WithTags("PromoCodes")
            .WithName("redeem-promo-code")
            .WithSummary("Redeem a code for credits, once")
            .RequiresUser()
            .Header(IdempotencyKey.Header, "A UUID; the same key with the same code gives the same answer for 24 hours")
            .Accepts<RedeemPromoCodeRequest>("application/json")
            .Produces<RedeemPromoCodeResponse>()
            .Fails(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
            .Examples(new { code = "K7MX-2QRT-9WBD" }, new RedeemPromoCodeResponse(true, 10, 12));

    private static async Task<IResult> HandleAsync(
        HttpContext context,
        CallerResolver callers,
        ApiDatabase database,
        Keys keys,
        IOptions<PromoCodesOptions> options,
        ServerLimits limits
    )
    {
        var request = await RequestBody.ReadAsync<RedeemPromoCodeRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        var key = IdempotencyKey.Read(context);
        if (request.Code?.Trim() is not { Length: > 0 and <= PromoCode.MaxTextLength } text)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "code", request.Code is null ? "required" : $"1_to_{PromoCode.MaxTextLength}_characters");
        }
        // What cannot be a code is looked up all the same, so that it is counted with the other wrong ones.
        var hash = PromoCode.Hash(keys, PromoCode.Normalize(text) ?? "");
        var answer = await database.WithPlaceAsync(
            () =>
                KeyedCalls.CallAsync(
                    database,
                    caller,
                    "redeem_promo_code($1, $2, $3, $4::jsonb)",
                    context.RequestAborted,
                    hash,
                    key,
                    context.Connection.RemoteIpAddress,
                    options.Value.Limits(limits)
                ),
            context.RequestAborted
        );
        var redeemed = JsonSerializer.Deserialize<JsonElement>(answer.Answer);
        if (redeemed.TryGetProperty("refused", out var code))
        {
            throw new ApiException(code.GetString()!, redeemed.GetProperty("details"));
        }
        IdempotencyKey.Mark(context, answer.Replayed);
        return Json.Result(
            new RedeemPromoCodeResponse(true, redeemed.GetProperty("credits_added").GetInt32(), redeemed.GetProperty("credits_remaining").GetInt32())
        );
    }
}
