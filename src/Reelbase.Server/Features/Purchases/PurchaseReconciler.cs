using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Purchases;

/// <summary>
/// Every night compares Apple's books with ours: its list of notifications (what we missed goes into the inbox as if it had just come), and
/// for each buyer what they bought and had refunded. One node does it at a time; what breaks off is begun again from the same point.
/// </summary>
public sealed class PurchaseReconciler(
    WorkerDatabase database,
    SignedData signedData,
    AppStoreClient apple,
    IAppStoreHealthListener listener,
    ChangeFeed feed,
    IOptions<PurchasesOptions> options,
    TimeProvider clock,
    ILogger<PurchaseReconciler> logger
) : PeriodicWork(logger)
{
    private const int LeaseSeconds = 3600;
    private const int RetryAfterSeconds = 600;
    private const int MaxPages = 10_000;
    private const int Portion = 100;
    private const int MaxFailuresInARow = 3;

    /// <summary>Apple lists a notification once it has tried to send it; what was under way at the last comparison is checked again.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(options.Value.ReconcileLookSeconds);

    /// <inheritdoc/>
    protected override bool IsOn => apple.IsConfigured;

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        foreach (var environment in (string[])["Production", "Sandbox"])
        {
            await TryAsync($"reconcile {environment}", () => ReconcileAsync(environment, stoppingToken), stoppingToken);
        }
    }

    private async Task ReconcileAsync(string environment, CancellationToken cancellationToken)
    {
        var claimToken = ClaimToken.New();
        var now = clock.GetUtcNow();
        var last = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddHours(options.Value.ReconcileAtHour);
        var due = now >= last ? last : last.AddDays(-1);
        var begun = await database.QuerySingleOrDefaultAsync<Begun>(
            "select greatest(covered_until, to_timestamp(0)) as covered_until from begin_reconciliation($1, $2, $3, $4)",
            cancellationToken,
            environment,
            claimToken,
            LeaseSeconds,
            (int)(now - due).TotalSeconds
        );
        if (begun is null)
        {
            return;
        }
        var report = new Report();
        var fault = await WalkNotificationsAsync(environment, begun.CoveredUntil, now, report, cancellationToken);
        // A list that cannot be read keeps nobody from asking about the buyers; an Apple that cannot be asked does.
        if (fault is null || report.Unreadable > 0)
        {
            fault = await WalkBuyersAsync(environment, claimToken, report, cancellationToken) ?? fault;
        }
        report.Fault = fault?.Reason;
        await database.ExecuteAsync(
            "select finish_reconciliation($1, $2, $3::timestamptz, $4::jsonb, $5)",
            CancellationToken.None,
            environment,
            claimToken,
            fault is null ? now.UtcDateTime : null,
            JsonSerializer.Serialize(report, Platform.Http.Json.Options),
            (int)Math.Max(1, fault?.RetryAfterSeconds ?? RetryAfterSeconds)
        );
        if (report.MissedNotifications + report.MissedPurchases > 0)
        {
            logger.LogWarning(
                "{Environment}: {Notifications} notifications and {Purchases} purchases had been missed and are booked now",
                environment,
                report.MissedNotifications,
                report.MissedPurchases
            );
        }
    }

    private async Task<AppStoreResponse.Unavailable?> WalkNotificationsAsync(
        string environment,
        DateTime coveredUntil,
        DateTimeOffset now,
        Report report,
        CancellationToken cancellationToken
    )
    {
        var oldest = now.AddDays(-options.Value.ReconcileFirstDays);
        var from = new DateTimeOffset(coveredUntil, TimeSpan.Zero) - Overlap;
        from = from < oldest ? oldest : from;
        string? page = null;
        for (var pages = 0; pages < MaxPages; pages++)
        {
            await PaceAsync(cancellationToken);
            var answer = await apple.FindNotificationsAsync(environment, from, now, page, cancellationToken);
            if (answer is AppStoreResponse.Unavailable { IsUnreadable: true })
            {
                await ReportUnreadableAsync(environment, "the list of notifications", report);
            }
            if (answer is not AppStoreResponse.Found { Body: var body })
            {
                // A question that Apple calls wrong is a fault of ours, which waits as long as an outage.
                return answer as AppStoreResponse.Unavailable ?? new AppStoreResponse.Unavailable("the list of notifications was refused");
            }
            if (Items(body, "notificationHistory") is not { } entries)
            {
                await ReportUnreadableAsync(environment, "the list of notifications", report);
                return new AppStoreResponse.Unavailable("the list of notifications cannot be read");
            }
            foreach (var entry in entries)
            {
                report.Notifications++;
                var payload = entry.Text("signedPayload");
                if (signedData.ReadNotification(payload, out var unread) is not { } notification)
                {
                    await ReportUnreadableAsync(environment, $"a notification in Apple's list ({unread})", report);
                }
                else if (await AppStoreNotificationsEndpoint.StoreAsync(database, notification, payload!, cancellationToken))
                {
                    report.MissedNotifications++;
                    feed.Publish(AppStoreNotificationWorker.WakeTopic);
                }
            }
            if (!HasMore(body) || body.Text("paginationToken") is not { } next)
            {
                return null;
            }
            page = next;
        }
        return null;
    }

    /// <summary>Goes on over the buyers from where the last walk came to, in portions, and remembers each one: what breaks off is not begun anew.</summary>
    private async Task<AppStoreResponse.Unavailable?> WalkBuyersAsync(string environment, string claimToken, Report report, CancellationToken cancellationToken)
    {
        var failures = 0;
        while (report.Buyers < options.Value.ReconcileMaxBuyers)
        {
            var buyers = await database.ListAsync<Buyer>(
                "select * from next_buyers_to_check($1, $2, $3)",
                cancellationToken,
                environment,
                claimToken,
                Math.Min(Portion, options.Value.ReconcileMaxBuyers - report.Buyers)
            );
            if (buyers.Count == 0)
            {
                return null;
            }
            foreach (var buyer in buyers)
            {
                report.Buyers++;
                var away = buyer.TransactionId is { } transactionId ? await CheckBuyerAsync(environment, transactionId, report, cancellationToken) : null;
                failures = away is null ? 0 : failures + 1;
                if (away is { IsOurFault: true } or { RetryAfterSeconds: not null })
                {
                    return away;
                }
                // One whom Apple cannot answer for is left for the next comparison; nobody waits behind them.
                await database.ExecuteAsync(
                    "select note_buyer_checked($1, $2, $3, $4)",
                    CancellationToken.None,
                    environment,
                    claimToken,
                    buyer.UserId,
                    buyer.TransactionId
                );
                if (failures >= MaxFailuresInARow)
                {
                    return away;
                }
            }
        }
        return null;
    }

    private async Task<AppStoreResponse.Unavailable?> CheckBuyerAsync(
        string environment,
        string transactionId,
        Report report,
        CancellationToken cancellationToken
    )
    {
        foreach (var find in (Func<string, string, string?, CancellationToken, Task<AppStoreResponse>>[])[apple.FindHistoryAsync, apple.FindRefundsAsync])
        {
            string? revision = null;
            for (var pages = 0; pages < MaxPages; pages++)
            {
                await PaceAsync(cancellationToken);
                var answer = await find(environment, transactionId, revision, cancellationToken);
                if (answer is AppStoreResponse.Unavailable away)
                {
                    if (away.IsUnreadable)
                    {
                        await ReportUnreadableAsync(environment, $"the history of the buyer of {transactionId}", report);
                    }
                    return away;
                }
                if (answer is not AppStoreResponse.Found { Body: var body })
                {
                    break;
                }
                if (Items(body, "signedTransactions") is not { } transactions)
                {
                    // The other buyers are asked about all the same, and this one again the next time.
                    await ReportUnreadableAsync(environment, $"the history of the buyer of {transactionId}", report);
                    break;
                }
                foreach (var jws in transactions)
                {
                    await RecordAsync(environment, jws.ValueKind == JsonValueKind.String ? jws.GetString() : null, report);
                }
                if (!HasMore(body) || body.Text("revision") is not { } next || next == revision)
                {
                    break;
                }
                revision = next;
            }
        }
        return null;
    }

    private Task ReportUnreadableAsync(string environment, string what, Report report)
    {
        report.Unreadable++;
        return listener.ReportAsync(
            environment,
            "unreadable",
            $"The comparison with the App Store ({environment}) could not read {what}: purchases or refunds may be missed until that is found out."
        );
    }

    private async Task RecordAsync(string environment, string? jws, Report report)
    {
        if (signedData.ReadTransaction(jws, out var fault, environment) is not { } transaction)
        {
            await ReportUnreadableAsync(environment, $"a transaction in a history ({fault})", report);
            return;
        }
        if (PurchaseRecord.Fault(transaction) is not null)
        {
            return;
        }
        report.Transactions++;
        var recorded = RecordedPurchase.Read(
            (
                await database.RecordAsync<string>(
                    "select record_transaction(null, $1::jsonb, 'reconciliation', $2::jsonb)::text",
                    PurchaseRecord.ToJson(transaction),
                    options.Value.Policy
                )
            )!
        );
        if (recorded.Outcome == "credited")
        {
            report.MissedPurchases++;
        }
    }

    private Task PaceAsync(CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromSeconds(1 / options.Value.ReconcileCallsPerSecond), cancellationToken);

    private static bool HasMore(JsonElement body) => body.TryGetProperty("hasMore", out var more) && more.ValueKind == JsonValueKind.True;

    /// <summary>The entries of a list; null when there is none, which is not the same as an empty one.</summary>
    private static List<JsonElement>? Items(JsonElement body, string name) =>
        body.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : null;

    private sealed record Begun(DateTime CoveredUntil);

    private sealed record Buyer(Guid UserId, string? TransactionId);

    private sealed class Report
    {
        public int Notifications { get; set; }
        public int MissedNotifications { get; set; }
        public int Buyers { get; set; }
        public int Transactions { get; set; }
        public int MissedPurchases { get; set; }
        public int Unreadable { get; set; }
        public string? Fault { get; set; }
    }
}
