using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Purchases;

/// <summary>A stored message that is due.</summary>
public sealed record InboxMessage(long Id, string EventType, string? Payload, int Attempt) : IClaimed
{
    /// <inheritdoc/>
    public string ClaimToken { get; set; } = "";
}

/// <summary>Works off what the App Store has sent: purchases, refunds and their reversals, and Apple's question how much of a purchase is used.</summary>
public sealed class AppStoreNotificationWorker(
    WorkerDatabase database,
    SignedData signedData,
    AppStoreClient apple,
    ChangeFeed feed,
    IOptions<PurchasesOptions> purchases,
    IOptions<WorkOptions> options,
    ILogger<AppStoreNotificationWorker> logger
) : TableLoop<InboxMessage>(database, feed, options, logger)
{
    /// <summary>Wakes this loop.</summary>
    public const string WakeTopic = "work:app_store";

    /// <inheritdoc/>
    protected override string Work => "inbox_messages";

    /// <inheritdoc/>
    protected override string KeyOf(InboxMessage item) => item.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    protected override string Topic => WakeTopic;

    /// <inheritdoc/>
    protected override Task<List<InboxMessage>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken) =>
        Database.ListAsync<InboxMessage>(
            "select * from claim_inbox_messages('app_store', $1, $2, $3, $4)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            limit,
            purchases.Value.MaxRetries + 1
        );

    /// <inheritdoc/>
    protected override async Task HandleAsync(InboxMessage item, CancellationToken cancellationToken)
    {
        if (item.Payload is not { } payload)
        {
            await FinishAsync(item, null, "its content is gone");
            return;
        }
        using var document = JsonDocument.Parse(payload);
        if (signedData.ReadNotification(document.RootElement.Text("signedPayload"), out var fault) is not { } notification)
        {
            await PostponeAsync(item, $"it does not verify any more ({fault})");
            return;
        }
        switch (notification.Type)
        {
            case "ONE_TIME_CHARGE" or "REFUND" or "REFUND_REVERSED" or "REFUND_DECLINED" or "CONSUMPTION_REQUEST":
                await ApplyAsync(item, notification, cancellationToken);
                break;
            case "RESCIND_CONSENT":
                await RescindAsync(item, notification);
                break;
            case "TEST":
                await FinishAsync(item, null, null);
                break;
            default:
                // Subscriptions, family sharing and the like are not about credits.
                await FinishAsync(item, null, "nothing to do for this kind");
                break;
        }
    }

    private async Task ApplyAsync(InboxMessage item, SignedNotification notification, CancellationToken cancellationToken)
    {
        // What a notification carries inside is signed by itself; that its outside is good says nothing about it.
        if (signedData.ReadTransaction(notification.SignedTransactionInfo, out var fault, notification.Environment) is not { } transaction)
        {
            await FinishAsync(item, null, $"its transaction is not Apple's ({fault})");
            return;
        }
        if (PurchaseRecord.Fault(transaction) is { } reason)
        {
            await FinishAsync(item, null, reason);
            return;
        }
        var recorded = RecordedPurchase.Read(
            (
                await Database.RecordAsync<string>(
                    "select record_transaction(null, $1::jsonb, 'notification', $2::jsonb)::text",
                    PurchaseRecord.ToJson(transaction),
                    purchases.Value.Policy
                )
            )!
        );
        if (notification.Type is "CONSUMPTION_REQUEST" or "REFUND_DECLINED")
        {
            await Database.ExecuteAsync(
                "select mark_refund_requested($1, $2, $3)",
                CancellationToken.None,
                transaction.Environment,
                transaction.TransactionId,
                notification.Type == "CONSUMPTION_REQUEST"
            );
        }
        if (notification.Type == "CONSUMPTION_REQUEST" && await ReportConsumptionAsync(transaction, cancellationToken) is { } failure)
        {
            await PostponeAsync(item, failure);
            return;
        }
        await FinishAsync(item, recorded.UserId, recorded.Outcome is "credited" or "known" or "pending" ? null : recorded.Reason ?? recorded.Outcome);
    }

    /// <summary>A guardian has taken back that a child uses the app.</summary>
    private async Task RescindAsync(InboxMessage item, SignedNotification notification)
    {
        var fault = "environment";
        if (
            notification.Environment is not { } environment
            || signedData.ReadAppTransaction(notification.SignedAppTransactionInfo, out fault, environment) is not { } download
        )
        {
            await FinishAsync(item, null, $"its download is not Apple's ({fault})");
            return;
        }
        var accounts = await Database.RecordAsync<int>(
            "select rescind_consent($1, $2, $3::numeric)",
            download.Environment,
            download.AppTransactionId,
            notification.SignedDate
        );
        await FinishAsync(item, null, accounts == 0 ? "no account is known by this download, or a later word counts" : null);
    }

    /// <summary>Answers Apple's question within its twelve hours, and only with the customer's consent. Null when done, or why it has to be tried again.</summary>
    private async Task<string?> ReportConsumptionAsync(SignedTransaction transaction, CancellationToken cancellationToken)
    {
        var used = await Database.QuerySingleOrDefaultAsync<Consumption>(
            "select * from get_consumption($1, $2)",
            cancellationToken,
            transaction.Environment,
            transaction.TransactionId
        );
        // Without consent Apple wants no call at all; and the same request for a refund may be asked about several times.
        if (used is null or { HasConsent: false } or { WasSent: true })
        {
            return null;
        }
        var answer = await apple.SendConsumptionAsync(
            transaction.Environment,
            transaction.TransactionId,
            new
            {
                customerConsented = true,
                deliveryStatus = "DELIVERED",
                sampleContentProvided = used.HadFreeCredits,
                consumptionPercentage = used.ConsumptionPercentage,
                refundPreference = used.ConsumptionPercentage switch
                {
                    0 => "GRANT_FULL",
                    SignedData.WholePercentage => "DECLINE",
                    _ => "GRANT_PRORATED",
                },
            },
            cancellationToken
        );
        switch (answer)
        {
            case AppStoreResponse.Found:
                await Database.ExecuteAsync("select note_consumption_sent($1, $2)", CancellationToken.None, transaction.Environment, transaction.TransactionId);
                return null;
            case AppStoreResponse.Unavailable away:
                return $"consumption could not be sent: {away.Reason}";
            default:
                logger.LogWarning("Apple refused what we said of the consumption of a purchase ({Response})", answer);
                return null;
        }
    }

    private Task FinishAsync(InboxMessage item, Guid? userId, string? remark) => EndAsync(item, userId, remark, null);

    private Task PostponeAsync(InboxMessage item, string reason) =>
        EndAsync(item, null, reason, Backoff.Seconds(item.Attempt, purchases.Value.RetryBaseSeconds, purchases.Value.RetryCapSeconds));

    private Task EndAsync(InboxMessage item, Guid? userId, string? remark, double? retryAfterSeconds) =>
        Database.ExecuteAsync(
            "select finish_inbox_message($1, $2, $3::uuid, $4, $5::double precision, $6)",
            CancellationToken.None,
            item.Id,
            item.ClaimToken,
            userId,
            remark,
            retryAfterSeconds,
            purchases.Value.MaxRetries
        );

    private sealed record Consumption(bool HasConsent, int ConsumptionPercentage, bool HadFreeCredits, bool WasSent);
}
