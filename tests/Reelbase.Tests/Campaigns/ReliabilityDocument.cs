using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>Writes what campaigns have shown into docs/reliability.md, between the marks of each, when <c>REELBASE_RECORD=yes</c> asks for it.</summary>
public static class ReliabilityDocument
{
    private static readonly Lock OneAtATime = new();

    public static void Record(string mark, string text)
    {
        if (Environment.GetEnvironmentVariable("REELBASE_RECORD") != "yes")
        {
            return;
        }
        var file = Path.Combine(Repository.Root, "docs", "reliability.md");
        lock (OneAtATime)
        {
            var whole = File.ReadAllText(file);
            var (open, close) = ($"<!-- {mark} -->", $"<!-- /{mark} -->");
            var (begin, end) = (whole.IndexOf(open, StringComparison.Ordinal), whole.IndexOf(close, StringComparison.Ordinal));
            Assert.True(begin >= 0 && end > begin, $"{file} has lost its marks {open} and {close}");
            File.WriteAllText(file, $"{whole[..(begin + open.Length)]}\n{text.Trim()}\n{whole[end..]}");
        }
    }
}
