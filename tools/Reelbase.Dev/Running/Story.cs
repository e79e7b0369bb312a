using System.Text.RegularExpressions;

namespace Reelbase.Dev.Running;

/// <summary>A guest's story: played at the first start, kept, and its video named at each further one.</summary>
internal static partial class Story
{
    private const string Video = "Video: ";

    [GeneratedRegex("http://[0-9.]+:[0-9]+/")]
    private static partial Regex AddressThen();

    /// <summary>Plays it; the addresses are those of the server and the simulators.</summary>
    public static async Task PlayAsync(RunFolder folder, string url, string simulators, IReadOnlyDictionary<string, string> variables, CancellationToken stop)
    {
        Terminal.Say("A guest's story:");
        List<string> lines = [];
        await (Call.Dotnet(SourceTree.SimulatorsProgram, "phone", url, simulators) with { Variables = variables }).ReadLinesAsync(Take, stop);
        if (lines.Exists(IsVideo))
        {
            await File.WriteAllLinesAsync(folder.File("story.txt"), lines, stop);
        }
        else
        {
            Terminal.Note($"The story did not end well; the server keeps running, its log is {folder.File("server.log")}");
        }

        void Take(string line)
        {
            lines.Add(line);
            Terminal.Say(line);
        }
    }

    /// <summary>What is said of the one that was played; nothing when none was. It was kept as it was printed then, perhaps at another port or address of this machine.</summary>
    public static IEnumerable<string> Recall(RunFolder folder, string publicUrl)
    {
        var kept = folder.File("story.txt");
        return File.Exists(kept) && new FileInfo(kept).Length > 0
            ?
            [
                "A guest's story was played at the first start; --demo plays it again. Its video:",
                .. File.ReadLines(kept).Where(IsVideo).Select(line => AddressThen().Replace(line, _ => publicUrl + "/", 1)),
            ]
            : [];
    }

    private static bool IsVideo(string line) => line.StartsWith(Video, StringComparison.Ordinal);
}
