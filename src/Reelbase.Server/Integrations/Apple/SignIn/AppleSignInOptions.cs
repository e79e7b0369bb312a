using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations.Apple.SignIn;

/// <summary>Section <c>AppleSignIn</c>: Sign in with Apple. Without client ids nobody can sign in with it; without a key Apple's permission cannot be taken back.</summary>
public sealed class AppleSignInOptions : IValidatableObject
{
    /// <summary>Whose tokens are accepted: the app's bundle id first, then Services IDs.</summary>
    public string[] ClientIds { get; set; } = [];

    /// <summary>Apple's host.</summary>
    [Required, Url]
    public string BaseUrl { get; set; } = "https://appleid.apple.com";

    /// <summary>The developer team's id; becomes <c>iss</c> of our own tokens to Apple.</summary>
    public string? TeamId { get; set; }

    /// <summary>The id of the Sign in with Apple key; becomes <c>kid</c>.</summary>
    public string? KeyId { get; set; }

    /// <summary>The key's .p8 file.</summary>
    public string? PrivateKeyFile { get; set; }

    /// <summary>The key as text (PEM), instead of the file.</summary>
    public string? PrivateKey { get; set; }

    /// <summary>Seconds until a call to Apple is given up.</summary>
    [Range(0.1, 60)]
    public double TimeoutSeconds { get; set; } = 5;

    /// <summary>Seconds that Apple's public keys are remembered.</summary>
    [Range(1, 604_800)]
    public int KeysLifeSeconds { get; set; } = 86_400;

    /// <summary>Seconds between two fetches of Apple's keys because of an unknown key id, so that made-up ids do not become a flood.</summary>
    [Range(0, 3600)]
    public double KeysRefreshSeconds { get; set; } = 30;

    /// <summary>How old an identity token may be, whatever its own end says; two minutes more for clocks that differ.</summary>
    [Range(60, 604_800)]
    public int MaxTokenAgeSeconds { get; set; } = 600;

    /// <summary>Attempts to exchange a code or to revoke a token.</summary>
    [Range(1, 1000)]
    public int MaxAttempts { get; set; } = 60;

    /// <summary>First pause before another attempt; doubles.</summary>
    [Range(0.01, 60)]
    public double RetryBaseSeconds { get; set; } = 2;

    /// <summary>Longest such pause.</summary>
    [Range(0.01, 86_400)]
    public double RetryCapSeconds { get; set; } = 3600;

    /// <summary>Whether identity tokens can be checked.</summary>
    public bool CanVerify => ClientIds.Length > 0;

    /// <summary>Whether codes can be exchanged and tokens revoked.</summary>
    public bool CanAsk => CanVerify && TeamId is { Length: > 0 } && KeyId is { Length: > 0 } && (PrivateKey ?? PrivateKeyFile) is { Length: > 0 };

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        AppleKeyRules.Check(PrivateKey, PrivateKeyFile, mayStandAlone: true, (nameof(TeamId), TeamId), (nameof(KeyId), KeyId));
}
