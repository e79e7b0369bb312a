using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Reelbase.Server.Cli;

/// <summary>The help of a group names each of its verbs, with their options; that of a verb is System.CommandLine's own.</summary>
internal sealed class CommandHelp : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        var command = parseResult.CommandResult.Command;
        if (command.Subcommands.Count == 0)
        {
            return new HelpAction().Invoke(parseResult);
        }
        if (Listed(command) is [{ Subcommands.Count: 0 } only])
        {
            // import has one verb: its options are what was asked for.
            return CommandTree.Parse([.. Path(only).Split(' '), "--help"]).Invoke(parseResult.InvocationConfiguration);
        }
        parseResult.InvocationConfiguration.Output.WriteLine(Describe(command));
        return 0;
    }

    /// <summary>What a group has.</summary>
    public static string Describe(Command group) => string.Join('\n', Lines(group).Prepend($"{group.Description}\n"));

    private static IEnumerable<string> Lines(Command command)
    {
        var path = Path(command);
        if (command.Subcommands.Count == 0)
        {
            // --database is every verb's of admin, and stands in that group's own description.
            string[] words = [path, .. command.Arguments.Select(argument => argument.Name), .. command.Options.Select(Synopsis)];
            return [string.Join(' ', words), $"    {command.Description?.Split('\n')[0]}"];
        }
        return Listed(command)
            .SelectMany(inner =>
                path.Length == 0 && Listed(inner).Count > 1 ? [$"{inner.Name} ... ({inner.Name} --help)", $"    {inner.Description}"] : Lines(inner)
            );
    }

    private static List<Command> Listed(Command group) => [.. group.Subcommands.Where(inner => !inner.Hidden)];

    private static string Synopsis(Option option)
    {
        var text = option.Arity.MaximumNumberOfValues == 0 ? option.Name : $"{option.Name} {option.HelpName}";
        return option.Required ? text : $"[{text}]";
    }

    /// <summary>The words that lead to a command, without the program's name.</summary>
    internal static string Path(Symbol command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Path(parent)} {command.Name}".TrimStart() : "";
}
