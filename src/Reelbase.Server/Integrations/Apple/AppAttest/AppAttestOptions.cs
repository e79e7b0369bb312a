using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations.Apple.AppAttest;

/// <summary>Section <c>AppAttest</c>: whose phones' keys are believed, and whether a key is asked for.</summary>
public sealed class AppAttestOptions : IValidatableObject
{
    /// <summary>Not verified.</summary>
    public const string Off = "off";

    /// <summary>Verified when the app sends it; a device id that has keys opens its guest with one of them only.</summary>
    public const string WhenPresent = "when_present";

    /// <summary>No device-check without it.</summary>
    public const string Required = "required";

    /// <summary>
    /// <c>off</c>: <c>app_attest</c> is not verified. <c>when_present</c>: verified when it is sent, and a device id that has keys opens its guest with one of them
    /// only. <c>required</c>: a device-check without it is refused. Without TeamId and BundleIds <c>when_present</c> is <c>off</c>, which is logged at every start.
    /// </summary>
    [RegularExpression("^(off|when_present|required)$", ErrorMessage = "must be off, when_present or required")]
    public string Policy { get; set; } = WhenPresent;

    /// <summary>The App ID prefix of the apps: the developer team's id, ten letters and digits.</summary>
    [RegularExpression("^[A-Z0-9]{10}$", ErrorMessage = "must be ten capital letters and digits")]
    public string? TeamId { get; set; }

    /// <summary>The bundle ids of the apps whose keys are believed.</summary>
    [Length(0, 20)]
    public IList<string> BundleIds { get; } = [];

    /// <summary>production (App Store and TestFlight), development (builds from Xcode) or both.</summary>
    [RegularExpression("^(production|development|both)$", ErrorMessage = "must be production, development or both")]
    public string Environment { get; set; } = "production";

    /// <summary>Apple's validation categories that are allowed where a phone says one (from iOS 27 on): 4 App Store, 2 TestFlight, 3 development. Empty: all.</summary>
    [Length(0, 20)]
    public IList<int> Categories { get; } = [];

    /// <summary>The root certificate (DER or PEM) of a simulator, which is believed beside Apple's. Refused in Production.</summary>
    public string? TestRootCertificateFile { get; set; }

    /// <summary>Seconds that a challenge may be used.</summary>
    [Range(1, 3600)]
    public int ChallengeSeconds { get; set; } = 300;

    /// <summary>Challenges that one address may ask for per window. Negative: unlimited.</summary>
    [Range(-1, 1_000_000)]
    public int ChallengesPerWindow { get; set; } = 1200;

    /// <summary>Length of that window.</summary>
    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 3600;

    /// <summary>Keys that one device id may have; a further one takes the place of the one that was not used for longest.</summary>
    [Range(1, 100)]
    public int MaxKeysPerDevice { get; set; } = 10;

    /// <summary>Seconds that our clock may be off when the dates of a certificate are compared.</summary>
    [Range(0, 3600)]
    public int ClockSkewSeconds { get; set; } = 300;

    /// <summary>Whether there is anything to verify with.</summary>
    public bool IsConfigured => TeamId is { Length: > 0 } && BundleIds.Count > 0;

    /// <summary>What is done.</summary>
    public string EffectivePolicy => IsConfigured ? Policy : Off;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if ((TeamId is { Length: > 0 }) != BundleIds.Count > 0 || (Policy == Required && !IsConfigured))
        {
            yield return new("needs AppAttest:BundleIds:0 beside it, and that needs it; Policy required needs both", [nameof(TeamId)]);
        }
        if (
            BundleIds.Any(bundle =>
                bundle is not { Length: > 0 and <= 155 } || !bundle.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-')
            )
        )
        {
            yield return new("must be bundle ids: letters, digits, dots and hyphens", [nameof(BundleIds)]);
        }
    }

    /// <summary>What the verifier is to believe.</summary>
    internal AppAttestTrust Trust(bool isProduction)
    {
        if (isProduction && TestRootCertificateFile is { Length: > 0 })
        {
            throw new InvalidOperationException("AppAttest:TestRootCertificateFile is for simulators and is refused in Production; remove it");
        }
        return new(
            [.. BundleIds.Select(bundle => $"{TeamId}.{bundle}")],
            Environment == "both" ? ["production", "development"] : [Environment],
            [.. Categories],
            TimeSpan.FromSeconds(ClockSkewSeconds),
            TestRootCertificateFile is { Length: > 0 } file
                ? System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(file)
                : null
        );
    }
}
