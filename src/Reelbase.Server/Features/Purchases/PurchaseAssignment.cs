using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Purchases;

/// <summary>Before support gives a purchase to its owner: one that we have never heard of is looked up at Apple and recorded.</summary>
public sealed class PurchaseAssignment(ApiDatabase database, AppStoreClient apple, SignedData signedData, IOptions<PurchasesOptions> options)
    : IOperationPreparation
{
    /// <inheritdoc/>
    public string Operation => "admin-assign-purchase";

    /// <inheritdoc/>
    public async Task PrepareAsync(Caller caller, JsonObject request, CancellationToken cancellationToken)
    {
        // Anything that is no id is refused by the operation itself, in its own words.
        if (
            request["transaction_id"] is not { } value
            || value.GetValueKind() != JsonValueKind.String
            || ((string)value!).Trim() is not { } id
            || !PurchaseRecord.IsTransactionId(id)
            || (await database.ListAsync<bool>(caller, "select admin_purchase_is_known($1)", cancellationToken, id))[0]
        )
        {
            return;
        }
        switch (await apple.FindTransactionAsync(id, options.Value.AcceptSandbox, cancellationToken))
        {
            case AppStoreResponse.Found found:
                if (
                    signedData.ReadTransaction(found.Body.Text("signedTransactionInfo"), out var fault, found.Environment) is not { } transaction
                    || (fault = PurchaseRecord.Fault(transaction) ?? "").Length > 0
                )
                {
                    throw new ApiException(ErrorCodes.InvalidTransaction, new { reason = fault });
                }
                await database.ExecuteAsync(
                    caller,
                    "select admin_record_purchase($1::jsonb, $2::jsonb)",
                    cancellationToken,
                    PurchaseRecord.ToJson(transaction),
                    options.Value.Policy
                );
                break;
            case AppStoreResponse.NotFound or AppStoreResponse.Refused:
                throw new ApiException(ErrorCodes.NotFound, new { what = "purchase" });
            case var answer:
                var wait = (answer as AppStoreResponse.Unavailable)?.RetryAfterSeconds ?? 30;
                throw new ApiException(
                    ErrorCodes.InternalError,
                    new { reason = "app_store_unavailable", retry_after_seconds = (int)Math.Ceiling(Math.Max(1, wait)) },
                    status: 503
                );
        }
    }
}
