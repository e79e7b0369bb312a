using System.CommandLine;

namespace Reelbase.Dev.Testing;

/// <summary><c>./reelbase screenshots</c>: every page of the console, light and dark, wide and on a phone; the same run finds what cannot be read.</summary>
internal static class ScreenshotsCommand
{
    /// <summary>The verb.</summary>
    public static Command New()
    {
        var yes = Words.Yes();
        Command command = new("screenshots") { yes };
        command.SetAction((words, stop) => RunAsync(words.UnmatchedTokens is [var folder, ..] ? folder : null, words.GetValue(yes), stop));
        return command;
    }

    private static async Task<int> RunAsync(string? given, bool isAnswered, CancellationToken stop)
    {
        if (given is ['-', ..])
        {
            throw Refusal.Words($"screenshots takes a folder, and no {given}");
        }
        var folder = given is null ? SourceTree.PathOf("screenshots") : Path.GetFullPath(SourceTree.FromCaller(given));
        Directory.CreateDirectory(folder);
        await TestNeeds.PrepareAsync(isAnswered, stop);
        if (!Tools.Has("chromium"))
        {
            throw Refusal.Fault("Chromium is missing (Debian: apt-get install chromium)");
        }
        if (!await Builds.TryBuildAsync("reelbase.slnx", stop))
        {
            return 1;
        }
        Terminal.Step("Taking pictures (some minutes)");
        var take = TestProgram.Of("--filter-class", "*.PageTests") with { Variables = new Dictionary<string, string> { ["REELBASE_SCREENSHOTS"] = folder } };
        if (await take.RunAsync(stop) != 0)
        {
            return 1;
        }
        Terminal.Say($"Pictures: {folder}");
        return 0;
    }
}
