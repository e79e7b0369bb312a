using System.Text.RegularExpressions;

namespace Reelbase.Server.Platform.Telemetry;

/// <summary>
/// The last net under logs and spans: what looks like a token, a key, an address of a person or of a phone is taken out, whoever wrote it.
/// Nothing relies on it; what may not be logged is not handed to a logger in the first place.
/// </summary>
public static partial class Redactor
{
    private const int MaxLength = 16 * 1024;

    /// <summary>The text without what may not be logged, and of bounded length.</summary>
    public static string Clean(string text)
    {
        var bounded = text.Length > MaxLength ? text[..MaxLength] + "..." : text;
        return Rules()
            .Replace(
                bounded,
                match =>
                    match.Groups["token"].Success ? "[token]"
                    : match.Groups["mail"].Success ? "[e-mail]"
                    : match.Groups["key"].Success ? "[key]"
                    : match.Groups["query"].Success ? "?[query]"
                    : "[address]"
            );
    }

    // A loopback address and the unspecified one name nobody; everything else that is an address names a person or a machine of theirs.
    [GeneratedRegex(
        """
            (?<token>\beyJ[\w-]{5,}(\.[\w-]+){0,2}|\b[Bb]earer\s+\S+|/bot[\w:.-]{10,})
            |(?<mail>[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})+)
            |(?<key>-----BEGIN[\s\S]*?(-----END[^-]*-----|$)|\bwhsec_\S+|\b[A-Za-z0-9+/_-]{40,}={0,2})
            |(?<query>\?[\w%.-]+=[^\s"']*)
            |(?<address>\b(?!127\.|0\.0\.0\.0)\d{1,3}(\.\d{1,3}){3}\b|(?<![\w:.])(?!::1\b)(?=[0-9a-fA-F:]*::|([0-9a-fA-F]{1,4}:){7})([0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:]))
            """,
        RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Rules();
}
