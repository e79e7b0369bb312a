using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations.Apple.AppStore;

/// <summary>Section <c>AppStore</c>: the app whose purchases are believed, and the key that Apple is asked with.</summary>
public sealed class AppStoreOptions : IValidatableObject
{
    /// <summary>Apple Root CA - G3, from Apple's page "Certificate Authority"; its SHA-256.</summary>
    public const string AppleRootSha256 = "63343ABFB89A6A03EBB57E9B3F5FA7BE7C4F5C756F3017B3A8C488C3653E9179";

    /// <summary>The app's bundle id; without it no purchase is believed.</summary>
    public string? BundleId { get; set; }

    /// <summary>The app's number in the App Store; production notifications have to carry it.</summary>
    public long? AppAppleId { get; set; }

    /// <summary>The file of Apple's root certificate (DER), <c>AppleRootCA-G3.cer</c>.</summary>
    public string? RootCertificateFile { get; set; }

    /// <summary>What the SHA-256 of that file must be; another one only for simulators.</summary>
    [RegularExpression("^[0-9A-Fa-f]{64}$", ErrorMessage = "must be 64 hexadecimal digits")]
    public string RootSha256 { get; set; } = AppleRootSha256;

    /// <summary>The issuer id of the In-App Purchase keys (a UUID).</summary>
    public string? IssuerId { get; set; }

    /// <summary>The id of the In-App Purchase key; becomes <c>kid</c>.</summary>
    public string? KeyId { get; set; }

    /// <summary>The key's .p8 file.</summary>
    public string? PrivateKeyFile { get; set; }

    /// <summary>The key as text (PEM), instead of the file.</summary>
    public string? PrivateKey { get; set; }

    /// <summary>Apple's production host.</summary>
    [Required, Url]
    public string ProductionUrl { get; set; } = "https://api.storekit.apple.com";

    /// <summary>Apple's sandbox host.</summary>
    [Required, Url]
    public string SandboxUrl { get; set; } = "https://api.storekit-sandbox.apple.com";

    /// <summary>Seconds until a call to Apple is given up.</summary>
    [Range(0.1, 60)]
    public double TimeoutSeconds { get; set; } = 10;

    /// <summary>Further attempts of a call that Apple says may be repeated.</summary>
    [Range(0, 5)]
    public int MaxRetries { get; set; } = 2;

    /// <summary>First pause before such an attempt; doubles.</summary>
    [Range(0.01, 10)]
    public double RetryBaseSeconds { get; set; } = 0.5;

    /// <summary>Whether signed data can be checked.</summary>
    public bool CanVerify => BundleId is { Length: > 0 } && RootCertificateFile is { Length: > 0 };

    /// <summary>Whether Apple can be asked.</summary>
    public bool CanAsk => CanVerify && IssuerId is { Length: > 0 } && KeyId is { Length: > 0 } && (PrivateKey ?? PrivateKeyFile) is { Length: > 0 };

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        AppleKeyRules.Check(
            PrivateKey,
            PrivateKeyFile,
            mayStandAlone: true,
            (nameof(BundleId), BundleId),
            (nameof(IssuerId), IssuerId),
            (nameof(KeyId), KeyId)
        );
}
