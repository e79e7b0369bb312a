using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations.Apple.Apns;

/// <summary>Section <c>Apns</c>: pushes to phones. Without a key none are sent.</summary>
public sealed class ApnsOptions : IValidatableObject
{
    /// <summary>Apple's host for builds from the App Store and TestFlight.</summary>
    [Required, Url]
    public string ProductionUrl { get; set; } = "https://api.push.apple.com";

    /// <summary>Apple's host for builds from Xcode.</summary>
    [Required, Url]
    public string SandboxUrl { get; set; } = "https://api.sandbox.push.apple.com";

    /// <summary>The app's bundle id.</summary>
    public string? Topic { get; set; }

    /// <summary>The developer team's id; becomes <c>iss</c>.</summary>
    public string? TeamId { get; set; }

    /// <summary>The id of the APNs key; becomes <c>kid</c>.</summary>
    public string? KeyId { get; set; }

    /// <summary>The key's .p8 file.</summary>
    public string? PrivateKeyFile { get; set; }

    /// <summary>The key as text (PEM), instead of the file.</summary>
    public string? PrivateKey { get; set; }

    /// <summary>The id of another key for builds from Xcode, where <see cref="KeyId"/> is Apple's for production only. Without it one key serves both.</summary>
    public string? SandboxKeyId { get; set; }

    /// <summary>That key's .p8 file.</summary>
    public string? SandboxPrivateKeyFile { get; set; }

    /// <summary>That key as text (PEM), instead of the file.</summary>
    public string? SandboxPrivateKey { get; set; }

    /// <summary>Seconds until a call to Apple is given up.</summary>
    [Range(0.1, 60)]
    public double TimeoutSeconds { get; set; } = 10;

    /// <summary>Whether pushes can be sent.</summary>
    public bool IsConfigured =>
        Topic is { Length: > 0 } && TeamId is { Length: > 0 } && KeyId is { Length: > 0 } && (PrivateKey ?? PrivateKeyFile) is { Length: > 0 };

    /// <summary>Whether builds from Xcode have a key of their own.</summary>
    public bool HasSandboxKey => SandboxKeyId is { Length: > 0 };

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        AppleKeyRules
            .Check(PrivateKey, PrivateKeyFile, mayStandAlone: false, (nameof(Topic), Topic), (nameof(TeamId), TeamId), (nameof(KeyId), KeyId))
            .Concat(AppleKeyRules.Check(SandboxPrivateKey, SandboxPrivateKeyFile, "Sandbox", (nameof(SandboxKeyId), SandboxKeyId)));
}
