using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Features.Admin;

/// <summary>What a password of an admin has to be, and how it is kept: PBKDF2 with HMAC-SHA-512 (the framework's hasher).</summary>
public sealed class AdminPasswords(int rounds = AdminPasswords.Rounds)
{
    /// <summary>Long ones need no rules about kinds of characters.</summary>
    public const int MinCharacters = 15;

    /// <summary>What is longer is refused and never cut.</summary>
    public const int MaxCharacters = 128;

    /// <summary>OWASP's figure for PBKDF2 with HMAC-SHA-512.</summary>
    public const int Rounds = 210_000;

    /// <summary>Of 0 to 4: "safely unguessable" by somebody who tries ten billion times.</summary>
    private const int MinScore = 3;

    /// <summary>Words that everybody here would try first; the README lists them too. Those of the admin's own address come on top.</summary>
    private static readonly string[] ContextWords =
    [
        "reelbase",
        "console",
        "support",
        "operator",
        "admin",
        "administrator",
        "video",
        "videos",
        "credits",
        "postgres",
        "postgresql",
    ];

    private readonly PasswordHasher<object> _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = rounds }));
    private string? _nobodysHash;

    /// <summary>Checked against when there is no such admin, so that the time taken shows nobody who is one.</summary>
    private string NobodysHash => LazyInitializer.EnsureInitialized(ref _nobodysHash, () => Hash("nobody"));

    /// <summary>A salted hash.</summary>
    public string Hash(string password) => _hasher.HashPassword(new(), password);

    /// <summary>Whether a password is the one of a hash, and whether that hash is from weaker times; takes as long for nobody.</summary>
    public (bool IsRight, bool IsOutdated) Check(string? hash, string password)
    {
        var verdict = _hasher.VerifyHashedPassword(new(), hash ?? NobodysHash, password);
        return (verdict != PasswordVerificationResult.Failed && hash is not null, verdict == PasswordVerificationResult.SuccessRehashNeeded);
    }

    /// <summary>In one word why a password may not be chosen: <c>short</c>, <c>long</c>, <c>common</c>; null when it may. Every letter counts, spaces too.</summary>
    public static string? FindFault(string password, string email, string? host)
    {
        // First, because nothing that follows may be given more.
        if (password.Length > MaxCharacters)
        {
            return "long";
        }
        // Half of a pair, or NUL, could not be typed again the same way everywhere.
        if (Platform.Http.Json.NullIfUnstorable(password) is null || new System.Globalization.StringInfo(password).LengthInTextElements < MinCharacters)
        {
            return "short";
        }
        var words = ContextWords.Concat(email.Split('@', '.', '+', '-', '_')).Concat((host ?? "").Split('.', '-')).Where(word => word.Length > 2);
        return Zxcvbn.Zxcvbn.MatchPassword(password, words.Append(email).Select(word => word.ToLowerInvariant())).Score < MinScore ? "common" : null;
    }
}
