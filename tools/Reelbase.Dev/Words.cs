using System.CommandLine;
using Quickenshtein;

namespace Reelbase.Dev;

/// <summary>Options as the verbs of the script take them: the last one given wins, and what a value may be is checked where it is used.</summary>
internal static class Words
{
    private const int MaxDistance = 3;

    /// <summary>What is there or not.</summary>
    public static Option<bool> Flag(string name, params string[] aliases) => new(name, aliases) { Arity = ArgumentArity.Zero };

    /// <summary>A text.</summary>
    public static Option<string[]> Text(string name) => new(name) { Arity = ArgumentArity.ZeroOrMore };

    /// <summary>The text that was given, the last one where there are more; null where the option is not there, empty where its value is missing.</summary>
    public static string? Read(ParseResult words, Option<string[]> option) =>
        words.GetResult(option) is { Implicit: false } result ? (result.Tokens is [.., var last] ? last.Value : "") : null;

    /// <summary>Answers what may be installed without asking.</summary>
    public static Option<bool> Yes() => Flag("--yes", "-y");

    /// <summary>"; did you mean X?" for the word that differs in few letters, or nothing.</summary>
    public static string DidYouMean(string given, IEnumerable<string> known) =>
        known
            .Select(word => (Word: word, Distance: Levenshtein.GetDistance(given, word)))
            .Where(candidate => candidate.Distance <= MaxDistance && candidate.Distance <= (candidate.Word.Length + 1) / 2)
            .OrderBy(candidate => candidate.Distance)
            .Select(candidate => $"; did you mean {candidate.Word}?")
            .FirstOrDefault("");

    /// <summary>Refuses words of a verb that takes none.</summary>
    public static void RefuseOthers(ParseResult words)
    {
        if (words.UnmatchedTokens is [var word, ..])
        {
            throw Refusal.Words($"{words.CommandResult.Command.Name} takes no {word}; ./reelbase help says what there is");
        }
    }
}
