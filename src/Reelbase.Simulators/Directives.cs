using System.Globalization;
using System.Text.RegularExpressions;

namespace Reelbase.Simulators;

/// <summary>What a prompt asks the simulator to do: words in square brackets, so that any client can try any story.</summary>
public sealed partial record Directives(IReadOnlyDictionary<string, double?> Words)
{
    public static Directives Of(string prompt) =>
        new(
            Pattern()
                .Matches(prompt)
                .GroupBy(match => match.Groups[1].Value)
                .ToDictionary(
                    group => group.Key,
                    group => group.First().Groups[2].Success ? double.Parse(group.First().Groups[2].Value, CultureInfo.InvariantCulture) : (double?)null
                )
        );

    public bool Has(string word) => Words.ContainsKey(word);

    public double Seconds(string word, double otherwise) => Words.TryGetValue(word, out var seconds) ? seconds ?? otherwise : otherwise;

    [GeneratedRegex(
        @"\[(reject|fail|slow|timeout|lost|429|500|no-webhook|late-webhook|twice|forged|garbage|huge|truncated|size|redirect-private|foreign|old-address|status|status-html|result|result-html|result-empty|wrapped|canceled|elsewhere|redirect-elsewhere|odd-echo|billed|steps)(?: (\d+(?:\.\d+)?))?\]"
    )]
    private static partial Regex Pattern();
}
