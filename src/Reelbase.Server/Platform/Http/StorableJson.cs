using System.Globalization;
using System.Text;

namespace Reelbase.Server.Platform.Http;

/// <summary>
/// JSON of others as PostgreSQL's jsonb can hold it: a NUL and half of a surrogate pair become U+FFFD, a number beyond all bounds becomes the
/// text of it. Everything else stays as it is; the bytes that came are kept beside it.
/// </summary>
public static class StorableJson
{
    private const string Replacement = "\\ufffd";

    /// <summary>Numbers of more characters, or with a longer way to go to their point, become texts.</summary>
    private const int MaxNumberLength = 100;
    private const int MaxExponent = 99;

    /// <summary>The storable form of a text that is known to be JSON.</summary>
    public static string Of(ReadOnlySpan<byte> json)
    {
        var text = Encoding.UTF8.GetString(json);
        var result = new StringBuilder(text.Length);
        var isInText = false;
        for (var index = 0; index < text.Length; )
        {
            var start = index;
            if (text[index] == '\\')
            {
                // In JSON a backslash is always the beginning of an escape, and always inside a text.
                index += text[index + 1] == 'u' ? 6 : 2;
                if (text[start + 1] == 'u')
                {
                    var unit = Unit(text, start);
                    if (
                        char.IsHighSurrogate(unit)
                        && index + 6 <= text.Length
                        && text[index] == '\\'
                        && text[index + 1] == 'u'
                        && char.IsLowSurrogate(Unit(text, index))
                    )
                    {
                        index += 6;
                    }
                    else if (unit == '\0' || char.IsSurrogate(unit))
                    {
                        result.Append(Replacement);
                        continue;
                    }
                }
                result.Append(text, start, index - start);
            }
            else if (!isInText && (text[index] == '-' || char.IsAsciiDigit(text[index])))
            {
                while (index < text.Length && (char.IsAsciiDigit(text[index]) || text[index] is '-' or '+' or '.' or 'e' or 'E'))
                {
                    index++;
                }
                var number = text.AsSpan(start, index - start);
                if (IsStorable(number))
                {
                    result.Append(number);
                }
                else
                {
                    result.Append('"').Append(number[..Math.Min(number.Length, MaxNumberLength)]).Append('"');
                }
            }
            else
            {
                isInText ^= text[index++] == '"';
                result.Append(text[start]);
            }
        }
        return result.ToString();
    }

    private static char Unit(string text, int escape) =>
        (char)ushort.Parse(text.AsSpan(escape + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static bool IsStorable(ReadOnlySpan<char> number)
    {
        var exponent = number.IndexOfAny('e', 'E');
        return number.Length <= MaxNumberLength
            && (
                exponent < 0
                || (
                    int.TryParse(number[(exponent + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power)
                    && Math.Abs((long)power) <= MaxExponent
                )
            );
    }
}
