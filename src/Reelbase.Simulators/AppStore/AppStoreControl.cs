using System.Text.Json.Serialization;
using Reelbase.Simulators.Apple;

namespace Reelbase.Simulators.AppStore;

/// <summary>A purchase to be made.</summary>
/// <param name="Notify">false: only Apple's books know of it.</param>
/// <param name="Customer">Purchases of one customer are found together; by default those with one account token.</param>
public sealed record PurchaseOrder(
    [property: JsonPropertyName("product_id")] string ProductId,
    int? Quantity = null,
    string? Environment = null,
    [property: JsonPropertyName("app_account_token")] Guid? AppAccountToken = null,
    bool? Notify = null,
    string? Customer = null
);

/// <summary>Something that happens to a purchase.</summary>
/// <param name="Percentage">Of the price that is refunded, 0 to 100 (or, above that, in thousandths as Apple writes it); all of it by default.</param>
public sealed record PurchaseEvent(
    [property: JsonPropertyName("transaction_id")] string TransactionId,
    double? Percentage = null,
    bool? Notify = null,
    string? Reason = null
);

/// <summary>A guardian takes back that a child uses the app. <paramref name="Jws"/> in the place of the download that Apple would sign, "" for none.</summary>
public sealed record Rescission(
    string Customer,
    string? Environment = null,
    [property: JsonPropertyName("download_environment")] string? DownloadEnvironment = null,
    [property: JsonPropertyName("bundle_id")] string? BundleId = null,
    string? Jws = null,
    [property: JsonPropertyName("signed_date")] long? SignedDate = null
);

/// <summary>Faults of the next calls, or of the next ones whose path contains a text; a count of 0 ends what is left of them.</summary>
public sealed record FaultOrder(string Kind, int? Count = null, string? Path = null);

/// <summary>Hours to move Apple's clock on.</summary>
public sealed record ClockOrder(double Hours);

/// <summary>What a person does at Apple: buying, asking for a refund, getting one.</summary>
public static class AppStoreControl
{
    public static void MapAppStoreControl(this IEndpointRouteBuilder routes)
    {
        var control = routes.MapGroup("/_control/appstore");
        control.MapPost(
            "/purchases",
            async (PurchaseOrder order, AppStoreState state) =>
            {
                var environment = order.Environment?.ToUpperInvariant() == "SANDBOX" ? "Sandbox" : "Production";
                var sale = state.Sell(order.ProductId, order.Quantity ?? 1, environment, order.AppAccountToken, order.Customer);
                var signed = state.Sign(sale);
                if (order.Notify != false)
                {
                    await state.NotifyAsync("ONE_TIME_CHARGE", environment, sale);
                }
                return Results.Json(new { transaction_id = sale.TransactionId, signed_transaction = signed });
            }
        );
        control.MapPost(
            "/refunds",
            (PurchaseEvent happened, AppStoreState state) =>
                ChangeAsync(
                    happened,
                    state,
                    "REFUND",
                    sale =>
                    {
                        sale.RevocationDate = state.NextDate();
                        sale.RevocationPercentage = Thousandths(happened.Percentage ?? 100);
                    }
                )
        );
        control.MapPost(
            "/refund-reversals",
            (PurchaseEvent happened, AppStoreState state) =>
                ChangeAsync(
                    happened,
                    state,
                    "REFUND_REVERSED",
                    sale =>
                    {
                        sale.RevocationDate = null;
                        sale.RevocationPercentage = 0;
                    }
                )
        );
        control.MapPost("/refund-declines", (PurchaseEvent happened, AppStoreState state) => ChangeAsync(happened, state, "REFUND_DECLINED", _ => { }));
        control.MapPost(
            "/consumption-requests",
            (PurchaseEvent happened, AppStoreState state) => ChangeAsync(happened, state, "CONSUMPTION_REQUEST", _ => { })
        );
        control.MapPost(
            "/rescissions",
            async (Rescission order, AppStoreState state) =>
            {
                var environment = order.Environment ?? "Production";
                var download = order.Jws ?? state.SignDownload(order.Customer, order.DownloadEnvironment ?? environment, order.BundleId);
                var sent = await state.RescindAsync(environment, order.Jws == "" ? null : download, order.SignedDate);
                return Results.Json(new { notification_uuid = sent.Uuid, attempts = sent.Attempts.Select(attempt => attempt.Result) });
            }
        );
        control.MapPost(
            "/notifications/test",
            async (AppStoreState state) =>
            {
                var sent = await state.NotifyAsync("TEST", "Production", null);
                return Results.Json(new { notification_uuid = sent.Uuid, signed_payload = sent.SignedPayload });
            }
        );
        control.MapPost(
            "/notifications/{uuid}/send",
            async (string uuid, AppStoreState state) =>
            {
                if (!state.Notifications.TryGetValue(uuid, out var sent))
                {
                    return Results.NotFound();
                }
                await state.SendAsync(sent);
                return Results.Json(new { accepted = sent.Attempts[^1].Result == "SUCCESS" });
            }
        );
        control.MapGet(
            "/notifications",
            (AppStoreState state) =>
                Results.Json(
                    new
                    {
                        notifications = state
                            .Notifications.Values.OrderBy(sent => sent.CreatedAt)
                            .Select(sent => new
                            {
                                notification_uuid = sent.Uuid,
                                type = sent.Type,
                                environment = sent.Environment,
                                transaction_id = sent.TransactionId,
                                signed_payload = sent.SignedPayload,
                                attempts = sent.Attempts.Select(attempt => attempt.Result),
                            }),
                    }
                )
        );
        control.MapGet(
            "/consumptions",
            (AppStoreState state) =>
                Results.Json(new { consumptions = state.Consumptions.Select(sent => new { transaction_id = sent.TransactionId, body = sent.Body }) })
        );
        control.MapPost("/clock", async (ClockOrder order, AppStoreState state) => Results.Json(new { sent = await state.AdvanceAsync(order.Hours) }));
        control.MapPost(
            "/faults",
            (FaultOrder order, AppStoreState state) =>
            {
                state.SetFaults(order.Kind, Math.Clamp(order.Count ?? 1, 0, 1000), order.Path);
                return Results.Json(new { success = true });
            }
        );
        routes.MapGet("/_control/apple/root.cer", (AppleAuthority authority) => Results.Bytes(authority.Root.RawData, "application/pkix-cert", "root.cer"));
    }

    private static int Thousandths(double percentage) => (int)Math.Clamp(percentage > 100 ? percentage : percentage * 1000, 0, 100_000);

    private static async Task<IResult> ChangeAsync(PurchaseEvent happened, AppStoreState state, string type, Action<Sale> change)
    {
        if (!state.Sales.TryGetValue(happened.TransactionId, out var sale))
        {
            return Results.NotFound(new { error = "no such transaction" });
        }
        change(sale);
        sale.Modified = state.NextDate();
        var signed = state.Sign(sale);
        string? uuid = null;
        if (happened.Notify != false)
        {
            uuid = (
                await state.NotifyAsync(type, sale.Environment, sale, type == "CONSUMPTION_REQUEST" ? happened.Reason ?? "UNINTENDED_PURCHASE" : null)
            ).Uuid;
        }
        return Results.Json(
            new
            {
                success = true,
                notification_uuid = uuid,
                signed_transaction = signed,
            }
        );
    }
}
