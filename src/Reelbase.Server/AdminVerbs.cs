using Reelbase.Server.Platform;

namespace Reelbase.Server;

/// <summary>
/// The verbs of <c>admin</c> with the words that each of them takes. What is none of them is refused before anything is opened: a slip in an option that
/// only looks must not let it write.
/// </summary>
internal static class AdminVerbs
{
    private static readonly string[] Nothing = [];

    /// <summary>Each verb, how many words stand behind it, its options with a value, and those without.</summary>
    private static readonly (string[] Words, int Places, string[] WithValue, string[] Alone)[] All =
    [
        (["reconcile"], 0, Nothing, Nothing),
        (["reconcile-purchases"], 0, Nothing, Nothing),
        (["cleanup"], 0, Nothing, ["--dry-run"]),
        (["check-files"], 0, Nothing, ["--force"]),
        (["accept-storage"], 0, Nothing, Nothing),
        (["after-restore"], 0, Nothing, Nothing),
        (["reports"], 0, ["--status"], Nothing),
        (["close-report"], 1, Nothing, Nothing),
        (["deliveries"], 0, ["--status", "--limit"], Nothing),
        (["resend-delivery"], 1, Nothing, Nothing),
        (["trace"], 1, Nothing, Nothing),
        (["backup"], 1, Nothing, Nothing),
        (["restore"], 1, ["--wal", "--until"], Nothing),
        (["create"], 0, ["--email", "--role"], Nothing),
        (["promo", "create"], 0, ["--credits", "--uses", "--code", "--label", "--starts", "--ends"], Nothing),
        (["promo", "list"], 0, Nothing, Nothing),
        (["promo", "end"], 1, Nothing, Nothing),
        (["import-model", "fal"], 1, ["--file", "--cost", "--margin", "--name", "--vendor", "--surcharge"], ["--dry-run"]),
        (["role"], 0, ["--email", "--role"], Nothing),
        (["list"], 0, Nothing, Nothing),
        (["revoke"], 0, ["--email"], Nothing),
        (["token"], 0, ["--email"], Nothing),
        (["database-url"], 0, Nothing, Nothing),
        (["keys"], 0, Nothing, Nothing),
        (["anon-key"], 0, Nothing, Nothing),
    ];

    /// <summary>What is wrong with the words; null when they may be carried out, or when help is what was asked for.</summary>
    public static string? FindWrongWord(string[] args)
    {
        if (args is [] or ["--help" or "-h" or "help"])
        {
            return null;
        }
        var verb = All.FirstOrDefault(known => args.Take(known.Words.Length).SequenceEqual(known.Words));
        if (verb.Words is null)
        {
            var given = string.Join(' ', args.TakeWhile(word => !word.StartsWith('-')).Take(args[0] == "promo" ? 2 : 1).DefaultIfEmpty(args[0]));
            return $"'{given}' is no verb{(SettingNames.Nearest(given, All.Select(known => string.Join(' ', known.Words))) is { } near ? $"; did you mean {near}?" : "")}";
        }
        var options = args[verb.Words.Length..];
        // Whatever a verb is about stands directly behind it.
        var places = options.TakeWhile(word => !word.StartsWith('-')).Take(verb.Places).Count();
        return places < verb.Places
            ? $"{string.Join(' ', verb.Words)} needs to be given what it is about"
            : Commands.FindWrongWord(options[places..], [.. verb.WithValue, "--database"], verb.Alone);
    }
}
