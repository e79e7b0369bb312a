using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>Decisions have the usual form, one in each file, and are listed.</summary>
[Trait("Check", "yes")]
[Quick]
public sealed partial class DecisionTests
{
    private static readonly string Folder = Repository.PathOf("docs/adr");

    private static readonly List<string> Files = [.. Directory.EnumerateFiles(Folder, "0*.md").Order(StringComparer.Ordinal)];

    [Fact]
    public void Each_decision_has_status_date_context_decision_and_consequences_in_this_order() =>
        Assert.Empty(Files.Where(file => !Form().IsMatch(File.ReadAllText(file))).Select(Path.GetFileName));

    [Fact]
    public void Each_decision_is_in_the_list_with_its_number_and_title()
    {
        var listed = File.ReadAllLines(Path.Combine(Folder, "README.md")).Where(line => line.StartsWith("| [", StringComparison.Ordinal));
        var expected = Files.Select(file =>
        {
            var title = Title().Match(File.ReadAllText(file));
            return $"| [{title.Groups[1].Value}]({Path.GetFileName(file)}) | {title.Groups[2].Value} |";
        });
        Assert.Equal(expected, listed);
    }

    [Fact]
    public void The_numbers_of_decisions_have_no_gap_and_are_those_of_their_files()
    {
        var titles = Files.Select(file => Title().Match(File.ReadAllText(file)).Groups[1].Value);
        var names = Files.Select(file => Path.GetFileName(file)[..4].TrimStart('0'));
        var numbers = Enumerable.Range(1, Files.Count).Select(number => $"{number}").ToList();
        Assert.Equal(numbers, titles);
        Assert.Equal(numbers, names);
    }

    [GeneratedRegex(@"\A# (\d+)\. ([^\n]+)\n")]
    private static partial Regex Title();

    // Each section has text, and there is no further section of this kind.
    [GeneratedRegex(
        @"\A# \d+\. [^\n]+\n\nStatus: [^\n]+\n\nDate: \d{4}-\d\d-\d\d\n\n## Context\n\n(?!#)((?!\n## )[\s\S])+\n## Decision\n\n(?!#)((?!\n## )[\s\S])+\n## Consequences\n\n(?!#)((?!\n## )[\s\S])+\z"
    )]
    private static partial Regex Form();
}
