using System.Globalization;
using System.Text.RegularExpressions;

namespace Reelbase.Dev.Testing;

/// <summary>What a log of the test program comes to: what failed and why first; what servers said meanwhile stays in the log.</summary>
internal sealed partial class TestReport
{
    private const int LinesOfFailure = 12;
    private const int MaxLines = 240;
    private const int MaxCharacters = 500;
    private const int SummaryLines = 6;

    private readonly List<string> _failures = [];
    private readonly Queue<string> _summary = new();
    private int _left;

    [GeneratedRegex("\u001b\\[[0-9;]*m")]
    private static partial Regex Colours();

    [GeneratedRegex("^ *(total|failed|succeeded|skipped|duration):|^Test run summary")]
    private static partial Regex Summary();

    [GeneratedRegex("^ *(?<what>succeeded|failed): *(?<count>[0-9]+)")]
    private static partial Regex Count();

    /// <summary>Tests that passed.</summary>
    public long Passed { get; private set; }

    /// <summary>Tests that failed.</summary>
    public long Failed { get; private set; }

    /// <summary>The first failures with their reasons.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>The program's own last lines.</summary>
    public IEnumerable<string> LastLines => _summary;

    /// <summary>Reads a log.</summary>
    public static TestReport Read(IEnumerable<string> log)
    {
        var report = new TestReport();
        foreach (var line in log)
        {
            // Some terminals and build machines get colours whatever is asked; the count must not depend on it.
            report.Add(Colours().Replace(line, ""));
        }
        return report;
    }

    private void Add(string line)
    {
        if (Summary().IsMatch(line))
        {
            _summary.Enqueue(line);
            if (_summary.Count > SummaryLines)
            {
                _summary.Dequeue();
            }
        }
        if (Count().Match(line) is { Success: true } match)
        {
            var count = long.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture);
            (Passed, Failed) = match.Groups["what"].Value == "failed" ? (Passed, Failed + count) : (Passed + count, Failed);
        }
        if (line.StartsWith("failed ", StringComparison.Ordinal))
        {
            _left = LinesOfFailure;
        }
        if (_left > 0 && !string.IsNullOrWhiteSpace(line))
        {
            _left--;
            if (_failures.Count < MaxLines)
            {
                _failures.Add(line.Length > MaxCharacters ? line[..MaxCharacters] : line);
            }
        }
    }
}
