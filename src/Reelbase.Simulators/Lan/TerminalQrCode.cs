using System.Text;
using QRCoder;

namespace Reelbase.Simulators.Lan;

/// <summary>A QR code of half blocks: two modules above each other in every character, with a quiet margin around.</summary>
public static class TerminalQrCode
{
    // Black on white whatever the terminal's own colours are: cameras read that best.
    private const string InBlackOnWhite = "\u001b[30;107m";
    private const string AsItWas = "\u001b[0m";

    /// <summary>The code's lines.</summary>
    /// <param name="text">What it says.</param>
    /// <param name="hasColours">Whether whoever reads them is a terminal; without colours the dark parts are left blank, as a dark terminal shows them.</param>
    public static string Draw(string text, bool hasColours)
    {
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.L);
        var rows = code.ModuleMatrix;
        var drawn = new StringBuilder();
        for (var top = 0; top < rows.Count; top += 2)
        {
            drawn.Append(hasColours ? InBlackOnWhite : "");
            for (var column = 0; column < rows[top].Count; column++)
            {
                var isUpperInk = rows[top][column] == hasColours;
                var isLowerInk = (top + 1 < rows.Count && rows[top + 1][column]) == hasColours;
                drawn.Append(
                    (isUpperInk, isLowerInk) switch
                    {
                        (true, true) => '█',
                        (true, false) => '▀',
                        (false, true) => '▄',
                        _ => ' ',
                    }
                );
            }
            drawn.Append(hasColours ? AsItWas : "").Append('\n');
        }
        return drawn.ToString();
    }
}
