using System.Globalization;
using System.Text;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>Characters as people count them, and which of them people can see.</summary>
public static class VisibleText
{
    /// <summary>Letters and symbols by their category that show nothing: fillers of Hangul, Khmer's inherent vowels, the blank of Braille.</summary>
    private static readonly HashSet<int> Blank = [0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0];

    /// <summary>All characters (grapheme clusters), and those of them in which something can be seen.</summary>
    public static (int All, int Visible) Count(string text)
    {
        var (all, visible) = (0, 0);
        var clusters = StringInfo.GetTextElementEnumerator(text);
        while (clusters.MoveNext())
        {
            all++;
            visible += clusters.GetTextElement().EnumerateRunes().Any(IsVisible) ? 1 : 0;
        }
        return (all, visible);
    }

    /// <summary>Spaces, controls, formats, marks that need something to stand on, and whatever has no shape in Unicode show nothing alone.</summary>
    private static bool IsVisible(Rune rune) =>
        !Blank.Contains(rune.Value)
        && Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.SpaceSeparator
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.Surrogate
                or UnicodeCategory.OtherNotAssigned
            );
}
