using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Reelbase.Server.Platform.Errors;

/// <summary>
/// Numbers in messages: <c>{name:credits}</c> and <c>{name:duration}</c> become a number of the details and its word, by the plural rules of
/// the language (Unicode CLDR: English and Spanish have a form for exactly one, Turkish counts with the plain word) and with its own
/// grouping of digits.
/// </summary>
public static partial class PluralFormatter
{
    private static readonly Dictionary<(string Language, string Word), (string One, string Other)> Words = new()
    {
        [("en", "credits")] = ("credit", "credits"),
        [("tr", "credits")] = ("kredi", "kredi"),
        [("es", "credits")] = ("crédito", "créditos"),
        [("en", "seconds")] = ("second", "seconds"),
        [("tr", "seconds")] = ("saniye", "saniye"),
        [("es", "seconds")] = ("segundo", "segundos"),
        [("en", "minutes")] = ("minute", "minutes"),
        [("tr", "minutes")] = ("dakika", "dakika"),
        [("es", "minutes")] = ("minuto", "minutos"),
        [("en", "hours")] = ("hour", "hours"),
        [("tr", "hours")] = ("saat", "saat"),
        [("es", "hours")] = ("hora", "horas"),
    };

    /// <summary>The text with its numbers, or null when the details do not hold all of them.</summary>
    public static string? Fill(string template, string language, JsonElement? details)
    {
        if (details is not { ValueKind: JsonValueKind.Object } facts)
        {
            return null;
        }
        var isWhole = true;
        var text = Places()
            .Replace(
                template,
                match =>
                {
                    if (
                        facts.TryGetProperty(match.Groups[1].Value, out var value)
                        && value.ValueKind == JsonValueKind.Number
                        && value.TryGetInt64(out var number)
                    )
                    {
                        return match.Groups[2].Value == "duration" ? Duration(number, language) : Count(number, match.Groups[2].Value, language);
                    }
                    isWhole = false;
                    return "";
                }
            );
        return isWhole ? text : null;
    }

    /// <summary>A number and its word.</summary>
    public static string Count(long number, string word, string language)
    {
        var (one, other) = Words[(language, word)];
        return $"{Number(number, language)} {(number == 1 ? one : other)}";
    }

    /// <summary>Seconds as a person would say them, rounded up so that nobody comes back too early.</summary>
    public static string Duration(long seconds, string language) =>
        seconds < 60 ? Count(seconds, "seconds", language)
        : seconds <= 3540 ? Count((seconds + 59) / 60, "minutes", language)
        : Count((seconds + 3599) / 3600, "hours", language);

    // Spanish leaves numbers of four digits alone.
    private static string Number(long number, string language) =>
        language == "es" && Math.Abs(number) < 10_000
            ? number.ToString(CultureInfo.InvariantCulture)
            : number.ToString("#,0", language == "en" ? CultureInfo.InvariantCulture.NumberFormat : Dots);

    private static readonly NumberFormatInfo Dots = new() { NumberGroupSeparator = ".", NumberDecimalSeparator = "," };

    [GeneratedRegex(@"\{(\w+):(\w+)\}")]
    private static partial Regex Places();
}
