using System.Globalization;
using System.Text.Json;
using Reelbase.Simulators.Apple;

namespace Reelbase.Simulators.AppStore;

/// <summary>The App Store Server API of both environments, <c>/appstore/production</c> and <c>/appstore/sandbox</c>.</summary>
public static class AppStoreSimulator
{
    private const int PageSize = 20;
    private static readonly string[] Preferences = ["DECLINE", "GRANT_FULL", "GRANT_PRORATED"];
    private static readonly string[] Deliveries =
    [
        "DELIVERED",
        "UNDELIVERED_QUALITY_ISSUE",
        "UNDELIVERED_WRONG_ITEM",
        "UNDELIVERED_SERVER_OUTAGE",
        "UNDELIVERED_OTHER",
    ];

    public static void MapAppStore(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/appstore/{environment}");
        api.AddEndpointFilter(CheckAsync);
        api.MapGet("/inApps/v1/transactions/{id}", Transaction);
        api.MapGet("/inApps/v2/history/{id}", History);
        api.MapGet("/inApps/v2/refund/lookup/{id}", Refunds);
        api.MapPut("/inApps/v2/transactions/consumption/{id}", ConsumptionAsync);
        api.MapPost("/inApps/v1/notifications/test", TestAsync);
        api.MapGet("/inApps/v1/notifications/test/{token}", TestResult);
        api.MapPost("/inApps/v1/notifications/history", NotificationHistoryAsync);
        routes.MapAppStoreControl();
    }

    /// <summary>Who calls, and the faults that were asked for.</summary>
    private static async ValueTask<object?> CheckAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var context = call.HttpContext;
        var app = context.RequestServices.GetRequiredService<AppleApp>();
        var header = context.Request.Headers.Authorization.ToString();
        var claims = header.StartsWith("Bearer ", StringComparison.Ordinal) ? app.ReadToken(header[7..], app.IssuerId, out _) : null;
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        if (
            claims is not { } token
            || token.GetProperty("aud").GetString() != "appstoreconnect-v1"
            || token.GetProperty("bid").GetString() != app.BundleId
            || token.GetProperty("exp").GetInt64() < now
            || token.GetProperty("exp").GetInt64() - token.GetProperty("iat").GetInt64() > 3600
            || token.GetProperty("iat").GetInt64() > now
        )
        {
            return Results.Text("Unauthenticated\n\nRequest ID: SIMULATED.0.0", statusCode: 401);
        }
        if (context.RequestServices.GetRequiredService<AppStoreState>().TakeFault(context.Request.Path.Value ?? "") is not { } fault)
        {
            return await next(call);
        }
        switch (fault)
        {
            case "rate-limit":
                // Apple gives a time, in milliseconds, where others give seconds to wait.
                context.Response.Headers.RetryAfter = DateTimeOffset.UtcNow.AddSeconds(2).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
                return Error(429, 4_290_000, "Rate limit exceeded.");
            case "general":
                return Error(500, 5_000_000, "An unknown error occurred.");
            case "retryable":
                return Error(500, 5_000_001, "An unknown error occurred. Please try again.");
            case "account-retryable":
                return Error(404, 4_040_002, "Account not found. Please try again.");
            case "no-list":
                return Results.Json(new { hasMore = false });
            case "array":
                return Results.Json(Array.Empty<object>());
            case "html":
                return Results.Text("<html><body>Bad Gateway</body></html>", "text/html", statusCode: 502);
            default:
                return Results.Text("{\"signedTransactionInfo\": \"eyJ", "application/json");
        }
    }

    private static IResult Transaction(string environment, string id, AppStoreState state)
    {
        state.Lookups[id] = true;
        return !IsId(id) ? Error(400, 4_000_006, "Invalid transaction id.")
            : Find(state, environment, id) is { } sale ? Results.Json(new { signedTransactionInfo = state.Sign(sale) })
            : Error(404, 4_040_010, "Transaction id not found.");
    }

    private static IResult History(string environment, string id, HttpContext context, AppStoreState state, AppleApp app)
    {
        var query = context.Request.Query;
        foreach (
            var (name, allowed, code) in new[]
            {
                ("sort", (string[])["ASCENDING", "DESCENDING"], 4_000_021L),
                ("productType", ["AUTO_RENEWABLE", "NON_RENEWABLE", "CONSUMABLE", "NON_CONSUMABLE"], 4_000_022L),
                ("inAppOwnershipType", ["FAMILY_SHARED", "PURCHASED"], 4_000_026L),
            }
        )
        {
            if (query[name].Any(value => !allowed.Contains(value)))
            {
                return Error(400, code, $"Invalid request. The {name} parameter is invalid.");
            }
        }
        return Page(
            state,
            environment,
            id,
            query["revision"],
            sales =>
            {
                sales = sales
                    .Where(sale => query["productId"].Count == 0 || query["productId"].Contains(sale.ProductId))
                    .Where(sale => query["revoked"].Count == 0 || (query["revoked"] == "true") == sale.RevocationDate is not null);
                return query["sort"] == "DESCENDING" ? sales.OrderByDescending(sale => sale.Modified) : sales.OrderBy(sale => sale.Modified);
            },
            app
        );
    }

    private static IResult Refunds(string environment, string id, HttpContext context, AppStoreState state, AppleApp app) =>
        Page(
            state,
            environment,
            id,
            context.Request.Query["revision"],
            sales => sales.Where(sale => sale.RevocationDate is not null).OrderBy(sale => sale.RevocationDate),
            app
        );

    private static IResult Page(
        AppStoreState state,
        string environment,
        string id,
        string? revision,
        Func<IEnumerable<Sale>, IEnumerable<Sale>> choose,
        AppleApp app
    )
    {
        if (!IsId(id))
        {
            return Error(400, 4_000_006, "Invalid transaction id.");
        }
        var skip = 0;
        if (!string.IsNullOrEmpty(revision) && !int.TryParse(revision.Split('_')[0], NumberStyles.None, CultureInfo.InvariantCulture, out skip))
        {
            return Error(400, 4_000_005, "Invalid request revision.");
        }
        if (Find(state, environment, id) is not { } known)
        {
            return Error(404, 4_040_010, "Transaction id not found.");
        }
        var all = choose(state.Sales.Values.Where(sale => sale.Environment == known.Environment && sale.Customer == known.Customer)).ToList();
        var answer = new Dictionary<string, object>
        {
            ["revision"] = $"{Math.Min(all.Count, skip + PageSize)}_{known.TransactionId}",
            ["hasMore"] = all.Count > skip + PageSize,
            ["bundleId"] = app.BundleId,
            ["environment"] = known.Environment,
            ["signedTransactions"] = all.Skip(skip).Take(PageSize).Select(state.Sign),
        };
        if (known.Environment == "Production")
        {
            answer["appAppleId"] = app.AppAppleId;
        }
        return Results.Json(answer);
    }

    private static async Task<IResult> ConsumptionAsync(string environment, string id, HttpContext context, AppStoreState state)
    {
        if (Find(state, environment, id) is null)
        {
            return Error(404, 4_040_010, "Transaction id not found.");
        }
        var body = (await JsonDocument.ParseAsync(context.Request.Body)).RootElement.Clone();
        if (!body.TryGetProperty("customerConsented", out var consent) || consent.ValueKind != JsonValueKind.True)
        {
            return Error(400, 4_000_035, "Invalid request. The customer consented field must be true.");
        }
        if (!body.TryGetProperty("deliveryStatus", out var delivery) || !Deliveries.Contains(delivery.GetString()))
        {
            return Error(400, 4_000_036, "Invalid request. The delivery status field is invalid.");
        }
        if (!body.TryGetProperty("sampleContentProvided", out var sample) || sample.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            return Error(400, 4_000_041, "Invalid request. The sample content provided field is invalid.");
        }
        var used = body.TryGetProperty("consumptionPercentage", out var percentage) ? percentage.GetInt32() : 0;
        if (used is < 0 or > 100_000 || (used > 0 && delivery.GetString() != "DELIVERED"))
        {
            return Error(400, 4_000_000, "Invalid request. The consumption percentage is out of range.");
        }
        if (body.TryGetProperty("refundPreference", out var preference) && !Preferences.Contains(preference.GetString()))
        {
            return Error(400, 4_000_044, "Invalid request. The refund preference field is invalid.");
        }
        if (body.TryGetProperty("refundPreference", out preference) && preference.GetString() == "GRANT_PRORATED" && used is 0 or 100_000)
        {
            return Error(400, 4_000_044, "Invalid request. A prorated refund needs a partly used purchase.");
        }
        state.Consumptions.Enqueue((id, body));
        return Results.StatusCode(202);
    }

    private static async Task<IResult> TestAsync(string environment, AppStoreState state, AppleApp app)
    {
        if (app.ServerUrl is null)
        {
            return Error(404, 4_040_007, "No App Store Server Notification URL found for provided app.");
        }
        var sent = await state.NotifyAsync("TEST", Name(environment), null);
        return Results.Json(new { testNotificationToken = sent.Uuid });
    }

    private static IResult TestResult(string token, AppStoreState state) =>
        !Guid.TryParse(token, out _) ? Error(400, 4_000_020, "Invalid request. The test notification token is invalid.")
        : state.Notifications.TryGetValue(token, out var sent) ? Results.Json(Describe(sent))
        : Error(404, 4_040_008, "Either the test notification token is expired or the notification and status are not yet available.");

    private static async Task<IResult> NotificationHistoryAsync(string environment, HttpContext context, AppStoreState state)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var root = body.RootElement;
        if (!root.TryGetProperty("startDate", out var from) || !root.TryGetProperty("endDate", out var to))
        {
            return Error(400, 4_000_015, "Invalid request. The start date is missing.");
        }
        if (from.GetInt64() >= to.GetInt64())
        {
            return Error(400, 4_000_013, "Invalid request. The end date precedes the start date.");
        }
        if (from.GetInt64() < DateTimeOffset.UtcNow.AddDays(-180).ToUnixTimeMilliseconds())
        {
            return Error(400, 4_000_012, "Invalid request. The start date is earlier than the earliest allowed date.");
        }
        var hasType = root.TryGetProperty("notificationType", out var type);
        var hasId = root.TryGetProperty("transactionId", out var id);
        if (hasType && hasId)
        {
            return Error(400, 4_000_019, "Invalid request. Supply either a transaction id or a notification type, but not both.");
        }
        var page = context.Request.Query["paginationToken"].FirstOrDefault();
        var skip = 0;
        if (!string.IsNullOrEmpty(page) && !int.TryParse(page, NumberStyles.None, CultureInfo.InvariantCulture, out skip))
        {
            return Error(400, 4_000_014, "Invalid request. The pagination token is invalid.");
        }
        var onlyFailures = root.TryGetProperty("onlyFailures", out var only) && only.ValueKind == JsonValueKind.True;
        var found = state
            .Notifications.Values.Where(sent => sent.Environment == Name(environment) && sent.CreatedAt >= from.GetInt64() && sent.CreatedAt < to.GetInt64())
            .Where(sent => !hasType || sent.Type == type.GetString())
            .Where(sent => !hasId || sent.TransactionId == id.GetString())
            .Where(sent => !onlyFailures || sent.Attempts.All(attempt => attempt.Result != "SUCCESS"))
            .OrderBy(sent => sent.CreatedAt)
            .ToList();
        var answer = new Dictionary<string, object>
        {
            ["notificationHistory"] = found.Skip(skip).Take(PageSize).Select(Describe),
            ["hasMore"] = found.Count > skip + PageSize,
        };
        if (found.Count > skip + PageSize)
        {
            answer["paginationToken"] = (skip + PageSize).ToString(CultureInfo.InvariantCulture);
        }
        return Results.Json(answer);
    }

    private static object Describe(SentNotification sent) =>
        new
        {
            signedPayload = sent.SignedPayload,
            sendAttempts = sent.Attempts.Select(attempt => new { attemptDate = attempt.At, sendAttemptResult = attempt.Result }),
        };

    private static Sale? Find(AppStoreState state, string environment, string id) =>
        state.Sales.TryGetValue(id, out var sale) && sale.Environment == Name(environment) ? sale : null;

    private static string Name(string environment) => environment == "sandbox" ? "Sandbox" : "Production";

    private static bool IsId(string id) => id.Length is > 0 and <= 40 && id.All(char.IsAsciiDigit);

    private static IResult Error(int status, long errorCode, string errorMessage) => Results.Json(new { errorCode, errorMessage }, statusCode: status);
}
