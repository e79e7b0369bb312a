using System.Globalization;
using System.Net;
using System.Text;

namespace Reelbase.Bench.Speed;

/// <summary>Plots as SVG: bars that lie, one below the other, each with its figure; readable on light and dark.</summary>
public static class Charts
{
    private const int Width = 860;
    private const int Left = 330;
    private const int Right = 150;
    private const int Row = 30;
    private const int Top = 46;

    /// <summary>A bar; the ones that are ours stand out.</summary>
    public sealed record Bar(string Name, double Value, string Text, bool IsOurs);

    public static string Draw(string title, IReadOnlyList<Bar> bars)
    {
        var longest = bars.Max(bar => bar.Value);
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{Width}} {{Top
                + (bars.Count * Row)
                + 10}}" font-family="system-ui, sans-serif" font-size="14" role="img">
            <title>{{WebUtility.HtmlEncode(title)}}</title>
            <style>text { fill: #24292f } .o { fill: #0a7d5a } .a { fill: #8c959f } @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .o { fill: #3fb68b } .a { fill: #6e7681 } }</style>
            <text x="10" y="26" font-size="16" font-weight="600">{{WebUtility.HtmlEncode(title)}}</text>

            """
        );
        foreach (var (at, bar) in bars.Index())
        {
            var y = Top + (at * Row);
            var length = Math.Max(2, bar.Value / longest * (Width - Left - Right));
            svg.Append(
                CultureInfo.InvariantCulture,
                $"""
                <text x="{Left - 10}" y="{y + 16}" text-anchor="end">{WebUtility.HtmlEncode(bar.Name)}</text>
                <rect x="{Left}" y="{y + 2}" width="{length:0.0}" height="20" rx="3" class="{(bar.IsOurs ? "o" : "a")}"/>
                <text x="{Left + length + 8:0.0}" y="{y + 16}">{WebUtility.HtmlEncode(bar.Text)}</text>

                """
            );
        }
        return svg.Append("</svg>\n").ToString();
    }
}
