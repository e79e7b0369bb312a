using System.CommandLine;

namespace Reelbase.Dev.Running;

/// <summary><c>./reelbase run</c>: sets everything up, plays one guest's story, keeps serving.</summary>
internal static class RunCommand
{
    private const string Demo = "--demo";
    private const string NoDemo = "--no-demo";

    /// <summary>The verb.</summary>
    public static Command New()
    {
        var (port, data, lan, simulators) = (Words.Text("--port"), Words.Text("--data"), Words.Text("--lan"), Words.Text("--simulators"));
        var dryRun = Words.Flag("--dry-run");
        Command command = new("run") { port, data, lan, simulators, Words.Flag(Demo), Words.Flag(NoDemo), dryRun, Words.Yes() };
        command.SetAction(
            (words, stop) =>
            {
                var settings = OperatorSettings.FromEnvironment();
                foreach (var word in words.UnmatchedTokens)
                {
                    Take(word, settings, command);
                }
                if (Words.Read(words, lan) is ['-', ..] mistyped)
                {
                    Take(mistyped, settings, command);
                }
                if (Words.Read(words, data) is "")
                {
                    throw Refusal.Words("--data needs a folder");
                }
                var demo = words.Tokens.Select(token => token.Value).LastOrDefault(word => word is Demo or NoDemo);
                RunOptions options = new(
                    RunOptions.ReadPort(Words.Read(words, port) ?? "5080"),
                    Words.Read(words, data) is { } folder ? SourceTree.FromCaller(folder) : settings.GivenFolder,
                    demo switch
                    {
                        Demo => StoryTime.Now,
                        NoDemo => StoryTime.Never,
                        _ => StoryTime.First,
                    },
                    Words.Read(words, lan) is ['-', ..] ? "" : Words.Read(words, lan),
                    PretendSystems.Choose(Words.Read(words, simulators) ?? "on")
                );
                options.CheckLan(settings.Default("ASPNETCORE_ENVIRONMENT", "Development"), settings.Variable("ASPNETCORE_URLS"));
                Installation installation = new(options, settings);
                return words.GetValue(dryRun) ? Task.FromResult(installation.Describe()) : installation.RunAsync(stop);
            }
        );
        return command;
    }

    private static void Take(string word, OperatorSettings settings, Command command)
    {
        if (!OperatorSettings.IsSetting(word))
        {
            var known = command.Options.Select(option => option.Name);
            throw Refusal.Words($"unknown option {word}{Words.DidYouMean(word, known)}; ./reelbase help says what there is");
        }
        settings.Take(word);
    }
}
