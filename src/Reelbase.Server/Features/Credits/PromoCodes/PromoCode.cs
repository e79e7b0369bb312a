using System.Security.Cryptography;
using System.Text;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Credits.PromoCodes;

/// <summary>A promo code as somebody writes it, and what is stored of it.</summary>
public static class PromoCode
{
    /// <summary>Fewer letters and digits than this can be guessed.</summary>
    public const int MinLength = 6;

    /// <summary>More than this is no code.</summary>
    public const int MaxLength = 40;

    /// <summary>How long a text may be before its blanks and dashes are left out.</summary>
    public const int MaxTextLength = 100;

    // Without what is read for something else: no I, L, O, U, 0 and 1.
    private const string Alphabet = "ABCDEFGHJKMNPQRSTVWXYZ23456789";
    private const int Groups = 3;
    private const int GroupLength = 4;
    private const int LongHint = 10;

    /// <summary>A code that nobody guesses: twelve letters and digits, 58 bits.</summary>
    public static string New() =>
        string.Join('-', Enumerable.Range(0, Groups).Select(_ => string.Concat(RandomNumberGenerator.GetItems<char>(Alphabet, GroupLength))));

    /// <summary>The code in the one form that is hashed: capitals and digits without blanks and dashes. Null when it has anything else.</summary>
    public static string? Normalize(string text)
    {
        var code = new StringBuilder();
        foreach (var letter in text)
        {
            if (char.IsAsciiLetterOrDigit(letter))
            {
                code.Append(char.ToUpperInvariant(letter));
            }
            else if (!char.IsWhiteSpace(letter) && letter is not ('-' or '_'))
            {
                return null;
            }
        }
        return code.Length is > 0 and <= MaxLength ? code.ToString() : null;
    }

    /// <summary>
    /// What is stored in a code's place (HMAC-SHA-256). Chosen codes are short words, which a bare hash would give away to whoever has a backup and tries
    /// a dictionary; the key is no part of any backup of the database.
    /// </summary>
    public static byte[] Hash(Keys keys, string normalized) => HMACSHA256.HashData(keys.Derive("promo codes"), Encoding.ASCII.GetBytes(normalized));

    /// <summary>Its last letters, by which admins know it again.</summary>
    public static string Hint(string normalized) => normalized[^(normalized.Length >= LongHint ? GroupLength : 2)..];
}
