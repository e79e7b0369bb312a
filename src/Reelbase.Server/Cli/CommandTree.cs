using System.CommandLine;
using System.CommandLine.Help;

namespace Reelbase.Server.Cli;

/// <summary>Every verb of the program with its words. What is none of them is refused before anything is opened: a slip in an option that only reads must not let it write.</summary>
internal static class CommandTree
{
    /// <summary>
    /// Whether a verb is meant. Without one the program serves, and its words are ASP.NET Core's settings (<c>--Section:Key=VALUE</c>), whose values may be called like a verb.
    /// </summary>
    public static bool IsVerb(string[] args) =>
        args is ["--help" or "-h" or "--version", ..] || (args is [var word, ..] && !word.StartsWith('-') && !word.Contains('=', StringComparison.Ordinal));

    /// <summary>Runs what the words say; answers the exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var result = Parse(args);
        if (result.Action is not CommandHelp && CommandLineErrors.Find(result) is { } wrong)
        {
            await (wrong.IsHelp ? Console.Out : Console.Error).WriteLineAsync(wrong.Text);
            return wrong.Code;
        }
        return await result.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    /// <summary>Reads the words: no bundles of short options, and a value that begins with @ is a value.</summary>
    internal static ParseResult Parse(string[] args) =>
        New().Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });

    /// <summary>The tree.</summary>
    public static Command New()
    {
        Command root = new("reelbase", "Reelbase server. Without a verb it serves; settings: --Section:Key=VALUE (docs/configuration.md).")
        {
            MigrateCommand.New(),
            AdminCommands.New(),
            ImportCommands.New(),
            VersionCommand.New(),
            DoctorCommand.New(),
        };
        root.Add(new HelpOption("--help", "-h") { Action = new CommandHelp() });
        AddHelpWords(root);
        return root;
    }

    /// <summary><c>admin help</c> is <c>admin --help</c>.</summary>
    private static void AddHelpWords(Command group)
    {
        foreach (var inner in group.Subcommands.Where(command => command.Subcommands.Count > 0))
        {
            AddHelpWords(inner);
        }
        Command help = new("help", "what there is") { Hidden = true };
        help.SetAction(_ => Console.Out.WriteLine(CommandHelp.Describe(group)));
        group.Add(help);
    }
}
