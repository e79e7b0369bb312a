using System.Text.Json;
using System.Text.RegularExpressions;
using Reelbase.Server.Integrations.Apple.AppStore;

namespace Reelbase.Server.Features.Purchases;

/// <summary>A verified transaction on its way into SQL.</summary>
public static partial class PurchaseRecord
{
    /// <summary>Whether a text can be Apple's id of a transaction.</summary>
    public static bool IsTransactionId(string text) => TransactionId().IsMatch(text);

    /// <summary>Why a transaction gives no credits, whatever else is true of it; null when it may.</summary>
    public static string? Fault(SignedTransaction transaction) =>
        transaction.Type != "Consumable" ? "not_a_consumable"
        // Consumables are not shared within a family; whoever says so has not bought it.
        : transaction.OwnershipType != "PURCHASED" ? "not_purchased"
        : null;

    /// <summary>The transaction as <c>record_transaction</c> reads it.</summary>
    public static string ToJson(SignedTransaction transaction) =>
        JsonSerializer.Serialize(
            new
            {
                environment = transaction.Environment,
                transaction_id = transaction.TransactionId,
                product_id = transaction.ProductId,
                quantity = transaction.Quantity,
                app_account_token = transaction.AppAccountToken,
                price = transaction.Price,
                currency = transaction.Currency,
                purchased_at = transaction.PurchaseDate,
                signed_at = transaction.SignedDate,
                revoked_percentage = transaction.RevocationPercentage,
                app_transaction_id = transaction.AppTransactionId,
            }
        );

    // To the very end: $ would let a line break through.
    [GeneratedRegex(@"\A[0-9A-Za-z-]{1,64}\z")]
    private static partial Regex TransactionId();
}

/// <summary>What <c>record_transaction</c> answers.</summary>
public sealed record RecordedPurchase(string Outcome, string? Reason, int CreditsAdded, Guid? UserId)
{
    /// <summary>Reads the function's JSON.</summary>
    public static RecordedPurchase Read(string json) => JsonSerializer.Deserialize<RecordedPurchase>(json, Platform.Http.Json.Options)!;
}
