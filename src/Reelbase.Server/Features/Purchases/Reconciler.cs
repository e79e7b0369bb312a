using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Purchases;

/// <summary>
/// Every night compares Apple's books with ours: its list of notifications (what we missed goes into the inbox as if it had just come), and
/// for each buyer what they bought and had refunded. One node does it at a time; what breaks off is begun again from the same point.
/// </summary>
public sealed class Reconciler(
    WorkerDatabase database,
    SignedData signedData,
    AppStoreClient apple,
    ChangeFeed feed,
    IOptions<PurchasesOptions> options,
    TimeProvider clock,
    ILogger<Reconciler> logger
) : BackgroundService
{
    private const int LeaseSeconds = 3600;
    private const int RetryAfterSeconds = 600;
    private const int MaxPages = 10_000;

    /// <summary>Apple lists a notification once it has tried to send it; what was under way at the last comparison is looked at again.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!apple.IsConfigured)
        {
            return;
        }
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.ReconcileLookSeconds));
        do
        {
            foreach (var environment in (string[])["Production", "Sandbox"])
            {
                try
                {
                    await LookAsync(environment, stoppingToken);
                }
                catch (Exception error) when (error is NpgsqlException or JsonException)
                {
                    logger.LogWarning("The comparison with the App Store broke off ({Reason}); trying again", error.Message);
                }
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task LookAsync(string environment, CancellationToken cancellationToken)
    {
        var claimToken = ClaimToken.New();
        var now = clock.GetUtcNow();
        var last = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddHours(options.Value.ReconcileAtHour);
        var due = now >= last ? last : last.AddDays(-1);
        var turn = await database.OneOrNoneAsync<Turn>(
            "select greatest(covered_until, to_timestamp(0)) as covered_until from begin_reconciliation($1, $2, $3, $4)",
            cancellationToken,
            environment,
            claimToken,
            LeaseSeconds,
            (int)(now - due).TotalSeconds
        );
        if (turn is null)
        {
            return;
        }
        var report = new Report();
        var fault =
            await WalkNotificationsAsync(environment, turn.CoveredUntil, now, report, cancellationToken)
            ?? await WalkBuyersAsync(environment, (int)(now - due).TotalSeconds, report, cancellationToken);
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
        if (fault?.IsOurFault == true)
        {
            await database.ExecuteAsync(
                "select raise_alert('app_store_key', $1, $2)",
                CancellationToken.None,
                now.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
                "The App Store refuses our key (AppStore:IssuerId, KeyId, PrivateKey): purchases cannot be looked up."
            );
        }
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

    private async Task<AppStoreAnswer.Unavailable?> WalkNotificationsAsync(
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
            if (answer is not AppStoreAnswer.Found { Body: var body } found)
            {
                // A question that Apple calls wrong is a fault of ours, which waits as long as an outage.
                return answer as AppStoreAnswer.Unavailable ?? new AppStoreAnswer.Unavailable("the list of notifications was refused");
            }
            foreach (var entry in Items(body, "notificationHistory"))
            {
                report.Notifications++;
                var payload = entry.Text("signedPayload");
                if (
                    signedData.ReadNotification(payload, out _, found.Environment) is { } notification
                    && await AppStoreNotificationsEndpoint.StoreAsync(database, notification, payload!, cancellationToken)
                )
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

    private async Task<AppStoreAnswer.Unavailable?> WalkBuyersAsync(string environment, int seconds, Report report, CancellationToken cancellationToken)
    {
        var purchases = await database.ListAsync<string>(
            "select transaction_id from list_purchases_to_check($1, $2, $3)",
            cancellationToken,
            environment,
            seconds,
            options.Value.ReconcileMaxBuyers
        );
        foreach (var transactionId in purchases)
        {
            report.Buyers++;
            foreach (var find in (Func<string, string, string?, CancellationToken, Task<AppStoreAnswer>>[])[apple.FindHistoryAsync, apple.FindRefundsAsync])
            {
                string? revision = null;
                for (var pages = 0; pages < MaxPages; pages++)
                {
                    await PaceAsync(cancellationToken);
                    var answer = await find(environment, transactionId, revision, cancellationToken);
                    if (answer is AppStoreAnswer.Unavailable away)
                    {
                        return away;
                    }
                    if (answer is not AppStoreAnswer.Found { Body: var body })
                    {
                        break;
                    }
                    foreach (var jws in Items(body, "signedTransactions"))
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
            await database.ExecuteAsync("select note_purchase_checked($1, $2)", CancellationToken.None, environment, transactionId);
        }
        return null;
    }

    private async Task RecordAsync(string environment, string? jws, Report report)
    {
        if (signedData.ReadTransaction(jws, out _, environment) is not { } transaction || PurchaseRecord.Fault(transaction) is not null)
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

    private static IEnumerable<JsonElement> Items(JsonElement body, string name) =>
        body.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private sealed record Turn(DateTime CoveredUntil);

    private sealed class Report
    {
        public int Notifications { get; set; }
        public int MissedNotifications { get; set; }
        public int Buyers { get; set; }
        public int Transactions { get; set; }
        public int MissedPurchases { get; set; }
        public string? Fault { get; set; }
    }
}
