using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations.Apple.DeviceCheck;

/// <summary>Section <c>DeviceCheck</c>: Apple's two bits per device. Without a key no device can be verified and no grant is given.</summary>
public sealed class DeviceCheckOptions : IValidatableObject
{
    /// <summary>Apple's host for builds from the App Store and TestFlight.</summary>
    [Required, Url]
    public string BaseUrl { get; set; } = "https://api.devicecheck.apple.com";

    /// <summary>
    /// Where a token is asked about that the first host refuses: <c>https://api.development.devicecheck.apple.com</c> takes tokens of builds from
    /// Xcode. Not set: nowhere. That host keeps bits of its own, so every developer's phone can get a grant there.
    /// </summary>
    [Url]
    public string? DevelopmentUrl { get; set; }

    /// <summary>
    /// Development only, and refused at start elsewhere: takes base64 of <c>ios-simulator:NAME</c> as the token of a device NAME that Apple is not asked about,
    /// because the iOS Simulator has no DeviceCheck. <c>./reelbase run</c> turns it on where it pretends DeviceCheck.
    /// </summary>
    public bool AcceptIosSimulators { get; set; }

    /// <summary>The developer team's id; becomes <c>iss</c>.</summary>
    public string? TeamId { get; set; }

    /// <summary>The id of the DeviceCheck key; becomes <c>kid</c>.</summary>
    public string? KeyId { get; set; }

    /// <summary>The key's .p8 file.</summary>
    public string? PrivateKeyFile { get; set; }

    /// <summary>The key as text (PEM), instead of the file.</summary>
    public string? PrivateKey { get; set; }

    /// <summary>Seconds until a call to Apple is given up.</summary>
    [Range(1, 30)]
    public double TimeoutSeconds { get; set; } = 5;

    /// <summary>Whether the key is there.</summary>
    public bool IsConfigured => TeamId is { Length: > 0 } && KeyId is { Length: > 0 } && (PrivateKey ?? PrivateKeyFile) is { Length: > 0 };

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        AppleKeyRules.Check(PrivateKey, PrivateKeyFile, mayStandAlone: false, (nameof(TeamId), TeamId), (nameof(KeyId), KeyId));
}
