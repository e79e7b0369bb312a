using System.Text.RegularExpressions;
using System.Xml.Linq;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Console;

/// <summary>Every text of the console is in its resource file, and nothing is there that nobody shows.</summary>
[Quick]
public sealed partial class TextTests
{
    [Fact]
    [Trait("Check", "yes")]
    public void Every_text_comes_from_the_resource_file()
    {
        var known = XDocument
            .Load(Repository.PathOf("src/Reelbase.Server/Features/Admin/Console/Texts.resx"))
            .Descendants("data")
            .Select(data => data.Attribute("name")!.Value)
            .ToHashSet();
        var used = new HashSet<string>();
        var bare = new List<string>();
        foreach (var file in Repository.Files("src/Reelbase.Server/Features", "*.razor"))
        {
            var text = File.ReadAllText(file);
            used.UnionWith(Translated().Matches(text).Select(match => match.Groups[1].Value));
            used.UnionWith(Listed().Matches(text).Select(match => match.Groups[1].Value));
            var markup = text.Split("@code {")[0];
            bare.AddRange(from Match match in Bare().Matches(markup) select $"{Path.GetFileName(file)}: {match.Groups[1].Value}");
        }
        foreach (var file in Repository.Files("src/Reelbase.Server/Features", "*.cs"))
        {
            var text = File.ReadAllText(file);
            used.UnionWith(Attention().Matches(text).Select(match => match.Groups[1].Value));
            used.UnionWith(Listed().Matches(text).Select(match => match.Groups[1].Value));
        }
        Assert.Empty(used.Except(known));
        Assert.Empty(known.Except(used));
        // Names of programs and places are the same in every language.
        Assert.DoesNotContain(bare, text => !Names().IsMatch(text));
    }

    [GeneratedRegex("""\bT\["((?:[^"\\]|\\.)*)"(?:, [^\]]+)?\]""")]
    private static partial Regex Translated();

    // Sentences that C# puts together for a page.
    [GeneratedRegex("""\btexts\[\s*"((?:[^"\\]|\\.)*)"(?:,\s*[^\]]+)?\s*\]""")]
    private static partial Regex Attention();

    // Lists whose entries are looked up when they are drawn.
    [GeneratedRegex("""(?:Icons\.Material\.Filled\.\w+, |\[\d+\] = )"([^"]+)"\)?,""")]
    private static partial Regex Listed();

    [GeneratedRegex(""">\s*([A-Z][a-z]+[^<>@{}\n]*)<""")]
    private static partial Regex Bare();

    [GeneratedRegex(": (Reelbase|Production|Sandbox)$")]
    private static partial Regex Names();
}
