using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations.Apple.AppStore;

/// <summary>A purchase as Apple signed it.</summary>
/// <param name="Environment">Production or Sandbox.</param>
/// <param name="RevocationPercentage">Thousandths of a percent that were refunded; 0 when nothing is, also after a refund was reversed.</param>
public sealed record SignedTransaction(
    string Environment,
    string TransactionId,
    string ProductId,
    string Type,
    int Quantity,
    Guid? AppAccountToken,
    long PurchaseDate,
    long SignedDate,
    long? Price,
    string? Currency,
    string OwnershipType,
    int RevocationPercentage
);

/// <summary>An App Store Server Notification (version 2) as Apple signed it.</summary>
public sealed record SignedNotification(string Uuid, string Type, string? Subtype, string Environment, long SignedDate, string? SignedTransactionInfo);

/// <summary>Reads Apple's signed data: the signature and chain, that it is about our app, and that every field is of its kind.</summary>
public sealed class SignedData : IDisposable
{
    /// <summary>All of a purchase, in thousandths of a percent.</summary>
    public const int WholePercentage = 100_000;

    private readonly AppStoreOptions _options;
    private readonly AppleJws? _jws;

    public SignedData(IOptions<AppStoreOptions> options, TimeProvider clock)
    {
        _options = options.Value;
        if (!_options.CanVerify)
        {
            return;
        }
        if (_options.AppAppleId is null)
        {
            throw new InvalidOperationException("AppStore:AppAppleId is missing: with AppStore:BundleId it says whose production notifications are believed");
        }
        var root = File.ReadAllBytes(_options.RootCertificateFile!);
        var hash = Convert.ToHexString(SHA256.HashData(root));
        if (!hash.Equals(_options.RootSha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException(
                $"AppStore:RootCertificateFile is not the certificate that AppStore:RootSha256 names (its SHA-256 is {hash}); get AppleRootCA-G3.cer from https://www.apple.com/certificateauthority/"
            );
        }
        _jws = new AppleJws(root, clock);
    }

    /// <summary>Whether there is anything to check with.</summary>
    public bool IsConfigured => _jws is not null;

    /// <summary>A transaction, or null and why not. <paramref name="environment"/> null: either of the two.</summary>
    public SignedTransaction? ReadTransaction(string? jws, out string fault, string? environment = null)
    {
        if (Verify(jws, out fault) is not { } payload)
        {
            return null;
        }
        try
        {
            var transaction = new SignedTransaction(
                Required(payload, "environment"),
                Required(payload, "transactionId"),
                Required(payload, "productId"),
                Required(payload, "type"),
                checked((int)(Whole(payload, "quantity") ?? 1)),
                Text(payload, "appAccountToken") is { Length: > 0 } token ? Guid.Parse(token) : null,
                Whole(payload, "purchaseDate") ?? throw new FormatException("purchaseDate"),
                Whole(payload, "signedDate") ?? throw new FormatException("signedDate"),
                Whole(payload, "price"),
                Text(payload, "currency"),
                Text(payload, "inAppOwnershipType") ?? "PURCHASED",
                Whole(payload, "revocationDate") is null ? 0 : (int)Math.Clamp(Whole(payload, "revocationPercentage") ?? WholePercentage, 0, WholePercentage)
            );
            Text(payload, "originalTransactionId");
            Whole(payload, "originalPurchaseDate");
            fault = Fault(payload, environment);
            return fault.Length == 0 ? transaction : null;
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or OverflowException)
        {
            fault = "field";
            return null;
        }
    }

    /// <summary>A notification, or null and why not. What it carries inside is signed by itself and is not checked here.</summary>
    public SignedNotification? ReadNotification(string? jws, out string fault, string? environment = null)
    {
        if (Verify(jws, out fault) is not { } payload)
        {
            return null;
        }
        try
        {
            var data = payload.Child("data") ?? payload.Child("summary") ?? payload.Child("appData") ?? throw new FormatException("data");
            var notification = new SignedNotification(
                Required(payload, "notificationUUID"),
                Required(payload, "notificationType"),
                Text(payload, "subtype"),
                Required(data, "environment"),
                Whole(payload, "signedDate") ?? throw new FormatException("signedDate"),
                Text(data, "signedTransactionInfo")
            );
            fault = Fault(data, environment);
            if (fault.Length == 0 && notification.Environment == "Production" && Whole(data, "appAppleId") != _options.AppAppleId)
            {
                fault = "app_apple_id";
            }
            return fault.Length == 0 ? notification : null;
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException)
        {
            fault = "field";
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _jws?.Dispose();

    private JsonElement? Verify(string? jws, out string fault)
    {
        fault = "not_configured";
        return _jws?.Verify(jws, out fault);
    }

    private string Fault(JsonElement data, string? environment) =>
        Text(data, "bundleId") != _options.BundleId ? "bundle_id"
        // Xcode's and local tests' data is not signed by Apple at all.
        : Text(data, "environment") is not ("Production" or "Sandbox") ? "environment"
        : environment is not null && Text(data, "environment") != environment ? "environment"
        : "";

    private static string Required(JsonElement data, string name) =>
        Text(data, name) is { Length: > 0 and <= 200 } text ? text : throw new FormatException(name);

    /// <summary>A text or nothing; a member of another kind is a fault.</summary>
    private static string? Text(JsonElement data, string name) =>
        data.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;

    private static long? Whole(JsonElement data, string name) =>
        data.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetInt64() : null;
}
