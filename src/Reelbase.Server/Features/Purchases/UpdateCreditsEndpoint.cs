using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Purchases;

/// <summary>A purchase that the app reports. What it is worth is never the app's to say.</summary>
/// <param name="TransactionId">Apple's id of the transaction; Apple is asked about it when there is no signed one.</param>
/// <param name="SignedTransaction">The transaction as StoreKit handed it over, signed by Apple (jwsRepresentation).</param>
/// <param name="UserId">Optional; must be the caller.</param>
/// <param name="Change">Refused: credits come from Apple's word alone.</param>
/// <param name="Amount">Refused, as above.</param>
/// <param name="Credits">Refused, as above.</param>
public sealed record UpdateCreditsRequest(
    string? TransactionId = null,
    string? SignedTransaction = null,
    string? UserId = null,
    JsonElement? Change = null,
    JsonElement? Amount = null,
    JsonElement? Credits = null
)
{
    public UpdateCreditsRequest()
        : this(TransactionId: null) { }
}

/// <summary>What a purchase gave.</summary>
/// <param name="Success">Always true.</param>
/// <param name="CreditsAdded">0 when it had been credited before, or is pending.</param>
/// <param name="CreditsRemaining">The balance now.</param>
/// <param name="TotalCredits">The balance once more, under the name that shipped apps read.</param>
/// <param name="Pending">True: the purchase is recorded, and its credits come as soon as we know its product; the app may finish it.</param>
public sealed record UpdateCreditsResponse(
    bool Success,
    int CreditsAdded,
    int CreditsRemaining,
    int TotalCredits,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Pending = null
);

/// <summary><c>POST /update-credits</c>: a purchase becomes credits, once, whoever reports it and however often.</summary>
public static class UpdateCreditsEndpoint
{
    /// <summary>Old apps send their whole receipt along; it is not read, but it has to be let through.</summary>
    private const int MaxBodyBytes = 1024 * 1024;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/update-credits", HandleAsync)
            .WithTags("Purchases")
            .WithName("update-credits")
            .WithSummary("Turn an App Store purchase into credits, exactly once")
            .RequiresUser()
            .Accepts<UpdateCreditsRequest>("application/json")
            .Produces<UpdateCreditsResponse>()
            .Fails(400, 401, 403, 404, 409, 413, 415, 429, 503)
            .Examples(new { signed_transaction = "eyJ..." }, new UpdateCreditsResponse(true, 25, 35, 35));

    private static async Task<IResult> HandleAsync(
        HttpContext context,
        CallerResolver callers,
        ApiDatabase database,
        AppStoreClient apple,
        SignedData signedData,
        ChangeFeed feed,
        IOptions<PurchasesOptions> options,
        ServerLimits limits
    )
    {
        var request = await RequestBody.ReadAsync<UpdateCreditsRequest>(context, maxBytes: MaxBodyBytes);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        foreach (var (name, value) in new[] { ("change", request.Change), ("amount", request.Amount), ("credits", request.Credits) })
        {
            if (value is not null)
            {
                throw ApiException.Field(ErrorCodes.MalformedRequest, name, "credits_come_from_apple");
            }
        }
        if (request is { TransactionId: null, SignedTransaction: null })
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "transaction_id", "required");
        }
        var rules = options.Value;
        if (!signedData.IsConfigured)
        {
            throw new ApiException(ErrorCodes.InternalError, new { reason = "purchases_are_off" }, status: 503);
        }
        if (request.SignedTransaction is { } jws)
        {
            // Checked right here and nothing asked of Apple: only one that fails needs a place, and good ones never wait for one.
            try
            {
                return await CreditAsync(Verify(signedData, jws, request.TransactionId), caller, database, rules, context.RequestAborted);
            }
            catch (ApiException error) when (IsFailedClaim(error))
            {
                await FinishPlaceAsync(await TakePlaceAsync(caller, context, database, rules, limits), caller, database, failed: true);
                throw;
            }
        }
        // Before Apple is asked: of any number at once no more can fail than may.
        var place = await TakePlaceAsync(caller, context, database, rules, limits);
        var failed = false;
        try
        {
            var transaction = await AskAsync(request.TransactionId!, caller, database, apple, signedData, feed, rules, context.RequestAborted);
            return await CreditAsync(transaction, caller, database, rules, context.RequestAborted);
        }
        catch (ApiException error) when (IsFailedClaim(error))
        {
            failed = true;
            throw;
        }
        finally
        {
            await FinishPlaceAsync(place, caller, database, failed);
        }
    }

    private static bool IsFailedClaim(ApiException error) => error.Code is ErrorCodes.InvalidTransaction or ErrorCodes.Conflict;

    private static async Task<IResult> CreditAsync(
        SignedTransaction transaction,
        Caller caller,
        ApiDatabase database,
        PurchasesOptions rules,
        CancellationToken cancellationToken
    )
    {
        if (PurchaseRecord.Fault(transaction) is { } fault)
        {
            throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = fault });
        }
        var claimed = (
            await database.QuerySingleOrDefaultAsync<ClaimedPurchase>(
                caller,
                "select * from claim_purchase($1::jsonb, $2::jsonb)",
                cancellationToken,
                PurchaseRecord.ToJson(transaction),
                rules.Policy
            )
        )!;
        return claimed.Outcome switch
        {
            "credited" or "known" => Json.Result(new UpdateCreditsResponse(true, claimed.CreditsAdded, claimed.CreditsRemaining, claimed.CreditsRemaining)),
            "pending" => Json.Result(new UpdateCreditsResponse(true, 0, claimed.CreditsRemaining, claimed.CreditsRemaining, Pending: true)),
            "of_another" => throw new ApiException(ErrorCodes.Conflict, new { reason = "purchase_of_another_user" }),
            _ => throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = claimed.Reason ?? claimed.Outcome }),
        };
    }

    /// <summary>A place among the failed claims; null where they are not limited.</summary>
    /// <exception cref="ApiException">ERR_4004: none is left.</exception>
    private static async Task<long?> TakePlaceAsync(Caller caller, HttpContext context, ApiDatabase database, PurchasesOptions rules, ServerLimits limits)
    {
        if (limits.OrNone("Purchases:FailedClaimsPerWindow", rules.FailedClaimsPerWindow) is not { } limit)
        {
            return null;
        }
        var place = (
            await database.QuerySingleOrDefaultAsync<ClaimPlace>(
                caller,
                "select * from take_claim_place($1, $2, $3)",
                context.RequestAborted,
                context.Connection.RemoteIpAddress,
                limit,
                rules.WindowSeconds
            )
        )!;
        return place.PlaceId
            ?? throw new ApiException(
                ErrorCodes.RateLimited,
                new
                {
                    limit,
                    scope = "failed_purchases",
                    retry_after_seconds = place.RetryAfterSeconds,
                }
            );
    }

    private static async Task FinishPlaceAsync(long? place, Caller caller, ApiDatabase database, bool failed)
    {
        if (place is not null)
        {
            await database.ExecuteAsync(caller, "select finish_claim_place($1, $2)", CancellationToken.None, place, failed);
        }
    }

    private static SignedTransaction Verify(SignedData signedData, string jws, string? transactionId)
    {
        var transaction =
            signedData.ReadTransaction(jws, out var fault)
            ?? throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = fault is "bundle_id" or "environment" ? fault : "not_signed_by_apple" });
        return transactionId is null || transactionId == transaction.TransactionId
            ? transaction
            : throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = "transaction_id_differs" });
    }

    private static async Task<SignedTransaction> AskAsync(
        string transactionId,
        Caller caller,
        ApiDatabase database,
        AppStoreClient apple,
        SignedData signedData,
        ChangeFeed feed,
        PurchasesOptions rules,
        CancellationToken cancellationToken
    )
    {
        if (!PurchaseRecord.IsTransactionId(transactionId))
        {
            throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = "not_a_transaction_id" });
        }
        switch (await apple.FindTransactionAsync(transactionId, rules.AcceptSandbox, cancellationToken))
        {
            case AppStoreResponse.Found found:
                return signedData.ReadTransaction(found.Body.Text("signedTransactionInfo"), out var fault, found.Environment)
                    ?? throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = fault });
            case AppStoreResponse.NotFound:
                // A purchase of this minute may not be known yet; it is looked for again, so that it is not lost.
                await KeepAsync();
                throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = "transaction_not_found" });
            case AppStoreResponse.Refused:
                throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = "not_a_transaction_id" });
            case var answer:
                await KeepAsync();
                var wait = (answer as AppStoreResponse.Unavailable)?.RetryAfterSeconds ?? 30;
                throw new ApiException(
                    ErrorCodes.InternalError,
                    new { reason = "app_store_unavailable", retry_after_seconds = (int)Math.Ceiling(Math.Max(1, wait)) },
                    status: 503
                );
        }

        async Task KeepAsync()
        {
            await database.ExecuteAsync(caller, "select keep_purchase_claim($1, $2)", CancellationToken.None, transactionId, rules.MaxWaitingClaims);
            feed.Publish(PurchaseClaimWorker.WakeTopic);
        }
    }

    private sealed record ClaimedPurchase(string Outcome, string? Reason, int CreditsAdded, int CreditsRemaining);

    private sealed record ClaimPlace(long? PlaceId, int? RetryAfterSeconds);
}
