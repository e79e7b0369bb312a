using System.Globalization;

namespace Reelbase.Bench.Faults;

/// <summary>Writes a campaign's report into docs/reliability.md, between the two marks; the text around it is written by hand.</summary>
public static class FaultRecord
{
    private const string Begin = "<!-- campaign -->";
    private const string End = "<!-- /campaign -->";

    public static void Write(FaultReport report)
    {
        var file = Path.Combine(FindRoot(), "docs", "reliability.md");
        var text = File.ReadAllText(file);
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
        {
            throw new InvalidOperationException($"{file} has lost its marks {Begin} and {End}");
        }
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"Recorded with `./reelbase bench faults --minutes {report.Minutes} --seed {report.Seed} --record` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores: **{(report.IsGood ? "clean" : "not clean")}**."
        );
        File.WriteAllText(file, $"{text[..(begin + Begin.Length)]}\n{head}\n\n{report.ToMarkdown()}{text[end..]}");
        System.Console.WriteLine($"Recorded in {Path.GetRelativePath(Directory.GetCurrentDirectory(), file)}.");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "reelbase.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("the bench must lie inside the source tree");
    }
}
