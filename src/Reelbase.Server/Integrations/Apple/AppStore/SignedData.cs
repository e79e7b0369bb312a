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
    int RevocationPercentage,
    string? AppTransactionId
);

/// <summary>An App Store Server Notification (version 2) as Apple signed it.</summary>
/// <param name="Uuid">Apple's id of it, the same at every attempt; a hash of what was signed when it has none.</param>
/// <param name="Type">Its kind; UNKNOWN when it names none.</param>
/// <param name="Environment">Production or Sandbox, when it says so.</param>
public sealed record SignedNotification(
    string Uuid,
    string Type,
    string? Subtype,
    string? Environment,
    string? SignedTransactionInfo,
    string? SignedAppTransactionInfo,
    long SignedDate
);

/// <summary>A download of the app as Apple signed it.</summary>
public sealed record SignedAppTransaction(string Environment, string AppTransactionId);

/// <summary>Reads Apple's signed data: the signature and chain, that it is about our app, and that every field is of its kind.</summary>
public sealed class SignedData : IDisposable
{
    /// <summary>All of a purchase, in thousandths of a percent.</summary>
    public const int WholePercentage = 100_000;

    /// <summary>What a notification carries, one of them at a time.</summary>
    private static readonly string[] Containers = ["data", "summary", "appData", "externalPurchaseToken"];

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
                Whole(payload, "revocationDate") is null ? 0 : (int)Math.Clamp(Whole(payload, "revocationPercentage") ?? WholePercentage, 0, WholePercentage),
                IsDownloadId(Text(payload, "appTransactionId")) ? Text(payload, "appTransactionId") : null
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

    /// <summary>
    /// A notification, or null and why not. What Apple has signed is Apple's word, also in a form of tomorrow: only one that says that it is about
    /// another app is none for us. What it carries inside is signed by itself and is not checked here.
    /// </summary>
    /// <param name="environment">Where it has to be from, and then it has to say all that Apple's own library asks for; null: as it is.</param>
    public SignedNotification? ReadNotification(string? jws, out string fault, string? environment = null)
    {
        if (Verify(jws, out fault) is not { } payload)
        {
            return null;
        }
        JsonElement[] containers = [payload, .. Containers.Select(name => payload.Child(name)).OfType<JsonElement>()];
        fault =
            containers.Any(IsOfAnotherBundle) ? "bundle_id"
            : containers.Any(IsOfAnotherApp) ? "app_apple_id"
            : environment is null ? ""
            : Lacks(payload.Child("data") ?? payload.Child("summary") ?? payload.Child("appData") ?? payload, environment);
        if (fault.Length > 0)
        {
            return null;
        }
        return new SignedNotification(
            Storable(payload.Text("notificationUUID")) ?? Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(payload.GetRawText()))),
            Storable(payload.Text("notificationType")) ?? "UNKNOWN",
            payload.Text("subtype"),
            containers.Select(container => container.Text("environment")).FirstOrDefault(text => text is "Production" or "Sandbox"),
            containers.Select(container => container.Text("signedTransactionInfo")).FirstOrDefault(text => text is not null),
            payload.Child("appData")?.Text("signedAppTransactionInfo"),
            payload.Number("signedDate") is { } date ? (long)date : 0
        );
    }

    /// <summary>A download of our app, or null and why not. Unlike a transaction it names its environment <c>receiptType</c>, and in production the app's number.</summary>
    public SignedAppTransaction? ReadAppTransaction(string? jws, out string fault, string environment)
    {
        if (Verify(jws, out fault) is not { } payload)
        {
            return null;
        }
        fault =
            payload.Text("bundleId") != _options.BundleId ? "bundle_id"
            : payload.Text("receiptType") is not ("Production" or "Sandbox") || payload.Text("receiptType") != environment ? "environment"
            : environment == "Production" && (long?)payload.Number("appAppleId") != _options.AppAppleId ? "app_apple_id"
            : !IsDownloadId(payload.Text("appTransactionId")) ? "app_transaction_id"
            : "";
        return fault.Length == 0 ? new(environment, payload.Text("appTransactionId")!) : null;
    }

    private static bool IsDownloadId(string? text) => text is { Length: > 0 and <= 100 } && text.All(char.IsAsciiLetterOrDigit);

    /// <inheritdoc/>
    public void Dispose() => _jws?.Dispose();

    private bool IsOfAnotherBundle(JsonElement container) => container.Text("bundleId") is { } bundle && bundle != _options.BundleId;

    /// <summary>The sandbox knows no number of the app, or may not.</summary>
    private bool IsOfAnotherApp(JsonElement container) =>
        container.Text("environment") != "Sandbox" && container.Number("appAppleId") is { } app && (long)app != _options.AppAppleId;

    private string Lacks(JsonElement data, string environment) =>
        Fault(data, environment) is { Length: > 0 } fault ? fault
        : environment == "Production" && data.Number("appAppleId") is null ? "app_apple_id"
        : "";

    /// <summary>A name that PostgreSQL can hold.</summary>
    private static string? Storable(string? text) => text is { Length: > 0 and <= 200 } && Platform.Http.Json.NullIfUnstorable(text) is not null ? text : null;

    private JsonElement? Verify(string? jws, out string fault)
    {
        fault = "not_configured";
        return _jws?.Verify(jws, out fault);
    }

    private string Fault(JsonElement data, string? environment) =>
        data.Text("bundleId") != _options.BundleId ? "bundle_id"
        // Xcode's and local tests' data is not signed by Apple at all.
        : data.Text("environment") is not ("Production" or "Sandbox") ? "environment"
        : environment is not null && data.Text("environment") != environment ? "environment"
        : "";

    private static string Required(JsonElement data, string name) =>
        Text(data, name) is { Length: > 0 and <= 200 } text ? text : throw new FormatException(name);

    /// <summary>A text or nothing; a member of another kind is a fault.</summary>
    private static string? Text(JsonElement data, string name) =>
        data.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;

    private static long? Whole(JsonElement data, string name) =>
        data.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetInt64() : null;
}
