using System.Reflection;
using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>docs/security-asvs.md names every requirement of OWASP ASVS 5.0.0 of levels 1 and 2 once, and only tests that exist.</summary>
public sealed partial class SecurityPageTests
{
    private const string Open = "**open**";
    private const string NotApplicable = "not applicable";

    private static readonly string Page = File.ReadAllText(Repository.PathOf("docs/security-asvs.md"));

    [Fact]
    public void Every_requirement_of_levels_one_and_two_has_exactly_one_row()
    {
        var asked = File.ReadLines(Repository.PathOf("tests/Reelbase.Tests/Conformance/asvs-5.0.0.txt")).Select(line => line.Split(' ')[0]).ToList();
        Assert.Equal(253, asked.Count);
        Assert.Equal(asked, Rows().Select(row => row.Id));
    }

    [Fact]
    public void No_row_is_empty_and_each_says_how_it_is_shown() =>
        Assert.Empty(
            from row in Rows()
            where
                row.Cells.Length != 4
                || row.Cells.Any(cell => cell.Length == 0)
                || (Kind(row) == "otherwise" && !Link().IsMatch(row.Cells[3]))
                || (row.Cells[3].StartsWith(NotApplicable, StringComparison.Ordinal) && row.Cells[3].Length < NotApplicable.Length + 5)
                || (row.Cells[3].StartsWith(Open, StringComparison.Ordinal) && row.Cells[3].Length < Open.Length + 20)
            select row.Id
        );

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        var tests = (
            from type in typeof(SecurityPageTests).Assembly.GetTypes()
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            where method.GetCustomAttributes().Any(attribute => attribute is FactAttribute)
            select $"{type.Name}.{method.Name}"
        ).ToHashSet();
        Assert.Empty(Rows().SelectMany(row => Test().Matches(row.Cells[3]).Select(match => match.Groups[1].Value)).Distinct().Except(tests));
    }

    [Fact]
    public void Every_test_that_the_page_of_threats_names_exists()
    {
        var named = Named().Matches(File.ReadAllText(Repository.PathOf("THREATS.md"))).Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.True(named.Count > 100, $"only {named.Count} names were found");
        var types = typeof(SecurityPageTests).Assembly.GetTypes();
        Assert.Empty(named.Except([.. types.Select(type => type.Name), .. types.SelectMany(type => type.GetMethods()).Select(method => method.Name)]));
    }

    [Fact]
    public void The_figures_at_the_top_are_those_of_the_rows()
    {
        var kinds = Rows().CountBy(Kind).ToDictionary();
        Assert.Contains(
            $"**{Rows().Count} requirements: {kinds["tested"]} met and shown by a test, {kinds["otherwise"]} met and shown by a document, "
                + $"{kinds["not applicable"]} not applicable, {kinds.GetValueOrDefault("open")} open.**",
            Page,
            StringComparison.Ordinal
        );
        // What is open stands together, too, for whoever reads only that.
        var summary = Page[Page.IndexOf("## What is open", StringComparison.Ordinal)..Page.IndexOf("## V1 ", StringComparison.Ordinal)];
        Assert.Equal(Rows().Where(row => Kind(row) == "open").Select(row => row.Id), Id().Matches(summary).Select(match => match.Value).Distinct());
    }

    private static string Kind(Row row) =>
        row.Cells[3].StartsWith(Open, StringComparison.Ordinal) ? "open"
        : row.Cells[3].StartsWith(NotApplicable, StringComparison.Ordinal) ? "not applicable"
        : Test().IsMatch(row.Cells[3]) ? "tested"
        : "otherwise";

    private static List<Row> Rows() =>
        [
            .. from line in Page.Split('\n')
            where line.StartsWith("| V", StringComparison.Ordinal)
            let cells = line.Trim().Trim('|').Split('|').Select(cell => cell.Trim()).ToArray()
            select new Row(cells[0], cells),
        ];

    [GeneratedRegex(@"`(\w+Tests\.\w+|ProviderConformance\.\w+)`")]
    private static partial Regex Test();

    // A class of tests, or one of them by its sentence.
    [GeneratedRegex(@"`(\w+Tests|[A-Z][A-Za-z0-9]*(?:_\w+){2,})`")]
    private static partial Regex Named();

    [GeneratedRegex(@"\]\([^)]+\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"V\d+\.\d+\.\d+")]
    private static partial Regex Id();

    private sealed record Row(string Id, string[] Cells);
}
