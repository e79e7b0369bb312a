using System.Globalization;

namespace Reelbase.Server.Platform.Errors;

/// <summary>
/// Chooses one of our languages from an Accept-Language header (RFC 9110, section 12.5.4), as phones and their libraries send it: <c>tr_TR</c> is Turkish, and an element that nobody can
/// read is passed over for the ones beside it.
/// </summary>
public static class AcceptLanguage
{
    private const int MaxLength = 4096;
    private const int MaxElements = 100;

    /// <summary>The best of our languages by quality value, English when none is wanted or the header is unreadable.</summary>
    public static string Choose(string header)
    {
        var best = ErrorCatalog.Languages[0];
        var bestQuality = 0.0;
        var elements = 0;
        var text = header.AsSpan(0, Math.Min(header.Length, MaxLength));
        foreach (var range in text.Split(','))
        {
            if (++elements > MaxElements)
            {
                break;
            }
            // Of two with the same quality the first is wanted more.
            if (Read(text[range]) is var (language, quality) && quality > bestQuality)
            {
                (best, bestQuality) = (language, quality);
            }
        }
        return best;
    }

    /// <summary>One of our languages and how much it is wanted, 0 to 1; none when the element is another's or unreadable.</summary>
    private static (string Language, double Quality)? Read(ReadOnlySpan<char> element)
    {
        var end = element.IndexOf(';');
        var tag = (end < 0 ? element : element[..end]).Trim();
        var part = tag.IndexOfAny('-', '_');
        var name = (part < 0 ? tag : tag[..part]).ToString();
        var language =
            name == "*" ? ErrorCatalog.Languages[0] : ErrorCatalog.Languages.FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (language is null)
        {
            return null;
        }
        if (end < 0)
        {
            return (language, 1);
        }
        var parameter = element[(end + 1)..].Trim();
        return
            parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(parameter[2..].Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var quality)
            ? (language, Math.Min(quality, 1))
            : null;
    }
}
