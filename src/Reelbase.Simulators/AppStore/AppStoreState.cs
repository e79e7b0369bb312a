using System.Collections.Concurrent;
using System.Text.Json;
using Reelbase.Simulators.Apple;

namespace Reelbase.Simulators.AppStore;

/// <summary>A purchase in Apple's books.</summary>
public sealed class Sale
{
    public required string TransactionId { get; init; }
    public required string Environment { get; init; }
    public required string ProductId { get; init; }
    public required int Quantity { get; init; }
    public required string Customer { get; init; }
    public Guid? AppAccountToken { get; init; }
    public required long PurchaseDate { get; init; }
    public long Modified { get; set; }
    public long? RevocationDate { get; set; }
    public int RevocationPercentage { get; set; }
}

/// <summary>A notification that Apple has sent, or tries to.</summary>
public sealed class SentNotification
{
    public required string Uuid { get; init; }
    public required string Type { get; init; }
    public required string Environment { get; init; }
    public string? TransactionId { get; init; }
    public required string SignedPayload { get; init; }
    public required long CreatedAt { get; init; }
    public List<(long At, string Result)> Attempts { get; } = [];

    /// <summary>When Apple tries again, on its own clock; null: it has been taken, or Apple has given up.</summary>
    public long? NextAt { get; set; }
}

/// <summary>Apple's books: sales of both environments, notifications, and what the developer said of consumption.</summary>
public sealed class AppStoreState(AppleApp app, AppleAuthority authority, IHttpClientFactory clients)
{
    private const long HourMilliseconds = 3_600_000;

    /// <summary>Hours between an attempt and the next one, in production; the sandbox tries once.</summary>
    private static readonly int[] RetryHours = [1, 12, 24, 48, 72];

    private long _lastDate;
    private long _lastId = 2_000_000_900_000_000 + Random.Shared.Next(1, 90_000_000);
    private long _clockOffset;

    public ConcurrentDictionary<string, Sale> Sales { get; } = new();
    public ConcurrentDictionary<string, SentNotification> Notifications { get; } = new();
    public ConcurrentQueue<(string TransactionId, JsonElement Body)> Consumptions { get; } = new();
    private readonly List<(string Kind, string? Path)> _faults = [];

    /// <summary>Ids of single transactions that anybody has asked for.</summary>
    public ConcurrentDictionary<string, bool> Lookups { get; } = new();

    public void Reset()
    {
        Sales.Clear();
        Notifications.Clear();
        Consumptions.Clear();
        lock (_faults)
        {
            _faults.Clear();
        }
        Lookups.Clear();
    }

    /// <summary>The next calls have this fault: any calls, or those whose path contains a text, so that calls of others do not use it up. None ends it.</summary>
    public void SetFaults(string kind, int count, string? path)
    {
        lock (_faults)
        {
            _faults.RemoveAll(fault => fault == (kind, path));
            _faults.AddRange(Enumerable.Repeat((kind, path), count));
        }
    }

    /// <summary>The oldest fault that this path meets, which is used up by that; null for none.</summary>
    public string? TakeFault(string path)
    {
        lock (_faults)
        {
            var at = _faults.FindIndex(fault => fault.Path is null || path.Contains(fault.Path, StringComparison.Ordinal));
            if (at < 0)
            {
                return null;
            }
            var kind = _faults[at].Kind;
            _faults.RemoveAt(at);
            return kind;
        }
    }

    /// <summary>Apple's clock, in milliseconds; never the same twice, so that every word of Apple has its place.</summary>
    public long NextDate()
    {
        while (true)
        {
            var last = Interlocked.Read(ref _lastDate);
            var next = Math.Max(last + 1, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            if (Interlocked.CompareExchange(ref _lastDate, next, last) == last)
            {
                return next;
            }
        }
    }

    /// <summary>Something is bought.</summary>
    public Sale Sell(string productId, int quantity, string environment, Guid? token, string? customer)
    {
        var id = Interlocked.Increment(ref _lastId).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var now = NextDate();
        var sale = new Sale
        {
            TransactionId = id,
            Environment = environment,
            ProductId = productId,
            Quantity = quantity,
            AppAccountToken = token,
            Customer = customer ?? token?.ToString() ?? id,
            PurchaseDate = now,
            Modified = now,
        };
        Sales[id] = sale;
        return sale;
    }

    /// <summary>A sale as Apple signs it now.</summary>
    public string Sign(Sale sale)
    {
        var payload = new Dictionary<string, object>
        {
            ["transactionId"] = sale.TransactionId,
            ["originalTransactionId"] = sale.TransactionId,
            ["bundleId"] = app.BundleId,
            ["productId"] = sale.ProductId,
            ["purchaseDate"] = sale.PurchaseDate,
            ["originalPurchaseDate"] = sale.PurchaseDate,
            ["quantity"] = sale.Quantity,
            ["type"] = "Consumable",
            ["inAppOwnershipType"] = "PURCHASED",
            ["signedDate"] = NextDate(),
            ["environment"] = sale.Environment,
            ["transactionReason"] = "PURCHASE",
            ["storefront"] = "USA",
            ["storefrontId"] = "143441",
            ["price"] = 4990L * sale.Quantity,
            ["currency"] = "USD",
            ["appTransactionId"] = DownloadOf(sale.Customer),
        };
        if (sale.AppAccountToken is { } token)
        {
            payload["appAccountToken"] = token.ToString();
        }
        if (sale.RevocationDate is { } date)
        {
            payload["revocationDate"] = date;
            payload["revocationReason"] = 0;
            payload["revocationType"] = sale.RevocationPercentage == 100_000 ? "REFUND_FULL" : "REFUND_PRORATED";
            payload["revocationPercentage"] = sale.RevocationPercentage;
        }
        return authority.Sign(payload);
    }

    /// <summary>Makes a notification and sends it for the first time.</summary>
    public async Task<SentNotification> NotifyAsync(string type, string environment, Sale? sale, string? consumptionReason = null)
    {
        var uuid = Guid.NewGuid().ToString();
        var notification = new SentNotification
        {
            Uuid = uuid,
            Type = type,
            Environment = environment,
            TransactionId = sale?.TransactionId,
            CreatedAt = NextDate(),
            SignedPayload = SignNotification(type, environment, sale is null ? null : Sign(sale), uuid, consumptionReason),
        };
        Notifications[uuid] = notification;
        await SendAsync(notification);
        return notification;
    }

    /// <summary>A notification as Apple signs it; what it carries is signed by itself.</summary>
    public string SignNotification(string type, string environment, string? signedTransaction, string? uuid = null, string? consumptionReason = null)
    {
        var data = new Dictionary<string, object>
        {
            ["appAppleId"] = app.AppAppleId,
            ["bundleId"] = app.BundleId,
            ["bundleVersion"] = "1",
            ["environment"] = environment,
        };
        if (signedTransaction is not null)
        {
            data["signedTransactionInfo"] = signedTransaction;
        }
        if (consumptionReason is not null)
        {
            data["consumptionRequestReason"] = consumptionReason;
        }
        return authority.Sign(
            new Dictionary<string, object>
            {
                ["notificationType"] = type,
                ["notificationUUID"] = uuid ?? Guid.NewGuid().ToString(),
                ["version"] = "2.0",
                ["signedDate"] = NextDate(),
                ["data"] = data,
            }
        );
    }

    /// <summary>Apple's id of the download of the app by a customer: the same in all that they do.</summary>
    public static string DownloadOf(string customer) =>
        "704"
        + (BitConverter.ToUInt64(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(customer))) % 1_000_000_000_000_000).ToString(
            "D15"
        );

    /// <summary>A download as Apple signs it.</summary>
    public string SignDownload(string customer, string environment, string? bundleId = null) =>
        authority.Sign(
            new Dictionary<string, object>
            {
                ["receiptType"] = environment,
                ["appAppleId"] = app.AppAppleId,
                ["bundleId"] = bundleId ?? app.BundleId,
                ["appTransactionId"] = DownloadOf(customer),
                ["receiptCreationDate"] = NextDate(),
                ["signedDate"] = NextDate(),
                ["originalPurchaseDate"] = NextDate(),
                ["originalApplicationVersion"] = "1",
                ["applicationVersion"] = "1",
                ["originalPlatform"] = "iOS",
            }
        );

    /// <summary>A guardian takes back that a child uses the app: the one notification that carries <c>appData</c>.</summary>
    public async Task<SentNotification> RescindAsync(string environment, string? signedDownload, long? signedDate = null)
    {
        var uuid = Guid.NewGuid().ToString();
        var data = new Dictionary<string, object>
        {
            ["appAppleId"] = app.AppAppleId,
            ["bundleId"] = app.BundleId,
            ["environment"] = environment,
        };
        if (signedDownload is not null)
        {
            data["signedAppTransactionInfo"] = signedDownload;
        }
        var notification = new SentNotification
        {
            Uuid = uuid,
            Type = "RESCIND_CONSENT",
            Environment = environment,
            CreatedAt = NextDate(),
            SignedPayload = authority.Sign(
                new Dictionary<string, object>
                {
                    ["notificationType"] = "RESCIND_CONSENT",
                    ["notificationUUID"] = uuid,
                    ["version"] = "2.0",
                    ["signedDate"] = signedDate ?? NextDate(),
                    ["appData"] = data,
                }
            ),
        };
        Notifications[uuid] = notification;
        await SendAsync(notification);
        return notification;
    }

    /// <summary>Moves Apple's clock on and sends what is due by then, in the order in which it is due.</summary>
    public async Task<int> AdvanceAsync(double hours)
    {
        Interlocked.Add(ref _clockOffset, (long)(hours * HourMilliseconds));
        var sent = 0;
        while (Notifications.Values.Where(one => one.NextAt <= Now()).MinBy(one => one.NextAt) is { } due)
        {
            await SendAsync(due);
            sent++;
        }
        return sent;
    }

    /// <summary>Sends a notification, and says so in its list of attempts.</summary>
    public async Task SendAsync(SentNotification notification)
    {
        var result = await PostAsync(notification.SignedPayload);
        notification.Attempts.Add((NextDate(), result));
        var retries = notification.Environment == "Production" ? RetryHours : [];
        notification.NextAt =
            result == "SUCCESS" || notification.Attempts.Count > retries.Length ? null : Now() + retries[notification.Attempts.Count - 1] * HourMilliseconds;
    }

    private long Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + Interlocked.Read(ref _clockOffset);

    private async Task<string> PostAsync(string signedPayload)
    {
        if (app.ServerUrl is null)
        {
            return "NO_RESPONSE";
        }
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            using var answer = await clients.CreateClient().PostAsJsonAsync($"{app.ServerUrl}/apple-server-notifications", new { signedPayload }, limit.Token);
            return (int)answer.StatusCode is >= 200 and <= 206 ? "SUCCESS" : "UNSUCCESSFUL_HTTP_RESPONSE_CODE";
        }
        catch (OperationCanceledException)
        {
            return "TIMED_OUT";
        }
        catch (HttpRequestException)
        {
            return "NO_RESPONSE";
        }
    }
}
