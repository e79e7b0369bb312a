using System.CommandLine;
using Reelbase.Dev.Running;

namespace Reelbase.Dev;

/// <summary>The server's own verbs, whose words it reads itself; only where the data lie is the script's word.</summary>
internal static class ServerCommands
{
    private static readonly string[] Verbs = ["migrate", "admin", "import", "doctor", "version"];

    /// <summary>Adds them.</summary>
    public static void AddTo(Command root)
    {
        foreach (var verb in Verbs)
        {
            var data = Words.Text("--data");
            Command command = new(verb) { data };
            command.TreatUnmatchedTokensAsErrors = false;
            command.SetAction((words, stop) => RunAsync(verb, Words.Read(words, data), words.UnmatchedTokens, stop));
            root.Add(command);
        }
    }

    /// <summary>The program with its words and where its data lie; like <c>run</c> it is for Development unless something else is given.</summary>
    internal static Call Prepare(string verb, string? data, IReadOnlyList<string> words, OperatorSettings settings)
    {
        if (data is "")
        {
            throw Refusal.Words("--data needs a folder");
        }
        settings.UseFolder(data is null ? settings.GivenFolder : SourceTree.FromCaller(data));
        settings.Default("ASPNETCORE_ENVIRONMENT", "Development");
        return Call.Dotnet([SourceTree.ServerProgram, verb, .. words]) with { Variables = settings.Environment };
    }

    private static async Task<int> RunAsync(string verb, string? data, IReadOnlyList<string> words, CancellationToken stop)
    {
        var program = Prepare(verb, data, words, OperatorSettings.FromEnvironment());
        await Builds.BuildServerAsync(stop);
        // Files that the words name are those of whoever calls: the program stays where it is.
        program.Replace();
        return 1;
    }
}
