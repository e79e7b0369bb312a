using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Purchases;

/// <summary>A claim that waits for Apple.</summary>
public sealed record WaitingClaim(Guid UserId, string TransactionId, int Attempt) : IClaimed
{
    /// <inheritdoc/>
    public string ClaimToken { get; set; } = "";
}

/// <summary>Asks Apple again about purchases that could not be looked up when their app reported them.</summary>
public sealed class PurchaseClaimWorker(
    WorkerDatabase database,
    SignedData signedData,
    AppStoreClient apple,
    ChangeFeed feed,
    IOptions<PurchasesOptions> purchases,
    IOptions<WorkOptions> options,
    ILogger<PurchaseClaimWorker> logger
) : TableLoop<WaitingClaim>(database, feed, options, logger)
{
    /// <summary>Wakes this loop.</summary>
    public const string WakeTopic = "work:purchase_claims";

    /// <inheritdoc/>
    protected override string Work => "purchase_claims";

    /// <inheritdoc/>
    protected override string KeyOf(WaitingClaim item) => $"{item.UserId}/{item.TransactionId}";

    /// <inheritdoc/>
    protected override string Topic => WakeTopic;

    /// <inheritdoc/>
    protected override Task<List<WaitingClaim>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken) =>
        Database.ListAsync<WaitingClaim>(
            "select * from lease_pending_purchases($1, $2, $3, $4)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            limit,
            purchases.Value.MaxLooksUnavailable
        );

    /// <inheritdoc/>
    protected override async Task HandleAsync(WaitingClaim item, CancellationToken cancellationToken)
    {
        switch (await apple.FindTransactionAsync(item.TransactionId, purchases.Value.AcceptSandbox, cancellationToken))
        {
            case AppStoreResponse.Found found:
                if (
                    signedData.ReadTransaction(found.Body.Text("signedTransactionInfo"), out _, found.Environment) is { } transaction
                    && PurchaseRecord.Fault(transaction) is null
                )
                {
                    await Database.RecordAsync<string>(
                        "select record_transaction($1, $2::jsonb, 'app', $3::jsonb)::text",
                        item.UserId,
                        PurchaseRecord.ToJson(transaction),
                        purchases.Value.Policy
                    );
                }
                await FinishAsync(item, null, 0);
                break;
            case AppStoreResponse.Refused:
                await FinishAsync(item, null, 0);
                break;
            case AppStoreResponse.NotFound:
                await FinishAsync(item, Pause(item), purchases.Value.MaxLooksUnknown);
                break;
            case AppStoreResponse.Unavailable away when item.Attempt >= purchases.Value.MaxLooksUnavailable:
                await GiveUpAsync(item, $"Apple could not be asked: {away.Reason}");
                break;
            case var answer:
                var wait = (answer as AppStoreResponse.Unavailable)?.RetryAfterSeconds ?? 0;
                await FinishAsync(item, Math.Max(wait, Pause(item)), purchases.Value.MaxLooksUnavailable);
                break;
        }
    }

    private double Pause(WaitingClaim item) => Backoff.Seconds(item.Attempt, purchases.Value.RetryBaseSeconds, purchases.Value.RetryCapSeconds);

    private Task FinishAsync(WaitingClaim item, double? retryAfterSeconds, int maxLooks) =>
        Database.ExecuteAsync(
            "select finish_purchase_claim($1, $2, $3, $4::double precision, $5)",
            CancellationToken.None,
            item.UserId,
            item.TransactionId,
            item.ClaimToken,
            retryAfterSeconds,
            maxLooks
        );
}
