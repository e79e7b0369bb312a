using System.CommandLine;
using System.CommandLine.Parsing;
using Reelbase.Server.Platform;

namespace Reelbase.Server.Cli;

/// <summary>What is wrong with the words of a command line, in one line that names the nearest word.</summary>
internal static class CommandLineErrors
{
    /// <summary>The words are not understood.</summary>
    public const int NotUnderstood = 2;

    /// <summary>They are understood, and a value cannot be right or something did not work.</summary>
    public const int WrongValue = 1;

    /// <summary>The first fault; null when the words may be carried out.</summary>
    public static (string Text, int Code, bool IsHelp)? Find(ParseResult result)
    {
        var command = result.CommandResult.Command;
        // A mistyped option is taken for what the verb is about where that is still missing.
        var mistyped = result.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value);
        if (mistyped.FirstOrDefault(value => value.StartsWith('-')) is { } option)
        {
            return Line(command, Unmatched(command, option), NotUnderstood);
        }
        if (result.UnmatchedTokens is [var word, ..])
        {
            return Line(command, Unmatched(command, word), NotUnderstood);
        }
        if (result.Errors is not [var error, ..])
        {
            return null;
        }
        if (command.Subcommands.Count > 0)
        {
            return (CommandHelp.Describe(command), NotUnderstood, true);
        }
        return error.SymbolResult switch
        {
            OptionResult given when AboutOption(command, given) is { } fault => Line(command, fault, NotUnderstood),
            OptionResult => Line(command, error.Message, WrongValue),
            ArgumentResult { Tokens: [var value, ..] } => Line(command, $"{value.Value} is nothing that {Name(command)} can be about", NotUnderstood),
            _ => Line(command, $"{Name(command)} needs to be given what it is about", NotUnderstood),
        };
    }

    /// <summary>What is wrong beside the value; null when it is the value.</summary>
    private static string? AboutOption(Command command, OptionResult result) =>
        result.Implicit ? $"{Name(command)} needs {result.Option.Name}"
        : result.IdentifierTokenCount > 1 && result.Option.Arity.MaximumNumberOfValues == 1 ? $"{result.Option.Name} is given more than once"
        : result.Tokens is not [var value, ..] || value.Value.Length == 0 || value.Value.StartsWith("--", StringComparison.Ordinal)
            ? $"{result.Option.Name} needs a value"
        : null;

    private static (string Text, int Code, bool IsHelp) Line(Command command, string text, int code)
    {
        var path = CommandHelp.Path(command);
        return path.Length == 0 ? ($"{text} (--help lists them)", code, false) : ($"{path.Split(' ')[0]}: {text} ({path} --help)", code, false);
    }

    private static string Unmatched(Command command, string word)
    {
        if (command.Subcommands.Count > 0 && !word.StartsWith('-'))
        {
            var group = CommandHelp.Path(command).Split(' ', 2) is [_, var rest] ? rest + " " : "";
            var known = command.Subcommands.Where(inner => !inner.Hidden).Select(inner => group + inner.Name);
            return $"'{group}{word}' is no verb{DidYouMean(group + word, known)}";
        }
        var options = command.Options.Concat(command.Parents.OfType<Command>().SelectMany(parent => parent.Options).Where(option => option.Recursive));
        return word.StartsWith('-')
            ? $"there is no option {word}{DidYouMean(word, options.Select(option => option.Name))}"
            : $"{word} stands alone: no option is before it";
    }

    /// <summary>The words behind <c>admin</c>, as it is said in errors.</summary>
    private static string Name(Command command) => CommandHelp.Path(command).Split(' ', 2)[^1];

    private static string DidYouMean(string word, IEnumerable<string> known) => SettingNames.Nearest(word, known) is { } near ? $"; did you mean {near}?" : "";
}
