using System.CommandLine;

namespace Reelbase.Dev.Testing;

/// <summary><c>./reelbase check</c>: format, analyzers, known faults of dependencies, architecture, fresh documents.</summary>
internal static class CheckCommand
{
    private static readonly string Log = SourceTree.PathOf("tests/check.log");

    /// <summary>The verb.</summary>
    public static Command New()
    {
        Command command = new("check") { Words.Yes() };
        command.SetAction(
            (words, stop) =>
            {
                Words.RefuseOthers(words);
                return RunAsync(stop);
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(CancellationToken stop)
    {
        // Each is tried whatever the others found.
        var isInOrder = await IsFormattedAsync(stop);
        isInOrder &= await BuildsAsync(stop);
        isInOrder &= await ScriptsParseAsync(stop);
        isInOrder &= await HasNoKnownFaultsAsync(stop);
        isInOrder &= await FollowsTheRulesAsync(stop);
        if (!isInOrder)
        {
            throw Refusal.Fault("not in order, see above");
        }
        Terminal.Say("Everything is in order.");
        return 0;
    }

    private static async Task<bool> IsFormattedAsync(CancellationToken stop)
    {
        Terminal.Step("Format");
        if (await Call.Dotnet("tool", "restore").RunIntoAsync(Log, stop) != 0)
        {
            ShowLast(3);
            throw Refusal.Fault("dotnet tool restore failed");
        }
        if (await Call.Dotnet("csharpier", "check", ".").RunIntoAsync(Log, stop) == 0)
        {
            return true;
        }
        ShowLast(20);
        Terminal.Note("format: run dotnet csharpier format .");
        return false;
    }

    private static async Task<bool> BuildsAsync(CancellationToken stop)
    {
        Terminal.Step("Analyzers");
        if (await Progress.ShowAsync("still building", Builds.TryBuildAsync("reelbase.slnx", Log, stop)))
        {
            return true;
        }
        Builds.Errors(Log).ToList().ForEach(Terminal.Note);
        return false;
    }

    private static async Task<bool> ScriptsParseAsync(CancellationToken stop)
    {
        Terminal.Step("Scripts");
        var parse = true;
        foreach (var script in (string[])["reelbase", "deploy/pin-images", "clients/dotnet/generate"])
        {
            parse &= await new Call("bash", "-n", script).RunAsync(stop) == 0;
        }
        return parse;
    }

    private static async Task<bool> HasNoKnownFaultsAsync(CancellationToken stop)
    {
        Terminal.Step("Dependencies");
        string[] words = [.. "list reelbase.slnx package --vulnerable --include-transitive".Split(' ')];
        if (await Call.Dotnet(words).RunIntoAsync(Log, stop) != 0)
        {
            // Advisories come from the package source; without it the rest can still be checked, and that it was not is said.
            Terminal.Say($"the package source could not be asked for advisories: {File.ReadLines(Log).LastOrDefault()}");
            return true;
        }
        var lines = await File.ReadAllLinesAsync(Log, stop);
        if (!lines.Any(line => line.Contains("has the following vulnerable packages", StringComparison.OrdinalIgnoreCase)))
        {
            return true;
        }
        foreach (var line in lines.Where(line => line.Contains('>', StringComparison.Ordinal) || line.Contains("has the following", StringComparison.Ordinal)))
        {
            Terminal.Note(line);
        }
        return false;
    }

    private static async Task<bool> FollowsTheRulesAsync(CancellationToken stop)
    {
        Terminal.Step("Architecture and documents");
        if (await Progress.ShowAsync("still testing", TestProgram.Of("--filter-trait", "Check=yes").RunIntoAsync(Log, stop)) == 0)
        {
            return true;
        }
        ShowLast(40);
        return false;
    }

    private static void ShowLast(int count) =>
        File.ReadLines(Log).Where(line => !string.IsNullOrWhiteSpace(line)).TakeLast(count).ToList().ForEach(Terminal.Note);
}
