using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>
/// One word for one thing, and the field's: each rule names a word that is not used here and what is written in its place. Names that clients, operators
/// and nodes of the previous release use cannot change; those are the exceptions, each with its reason, and one that nothing needs any more fails.
/// Two words of everyday English have no rule. An answer is what comes back, from Apple, a function or a person; the contract says so throughout (the stored
/// answer, the same answer), and only the types are called request and response. Room is space for more; its plural, for parts of the code, is refused.
/// </summary>
[Trait("Check", "yes")]
[Quick]
public sealed class WordsTests
{
    /// <summary>A word that goes, what is written instead, and the files of which it is not asked (a path, the end of one, or a folder in it) with the reason.</summary>
    private sealed record Rule(string Old, string Instead, params (string File, string Pattern, string Reason)[] Exceptions);

    private const string ConfigurationKey = "a configuration key, which operators have set";
    private const string GrantTurn = "the contract's word for the one lease under which grants are decided, as in Devices:TurnSeconds and the functions' names";
    private const string AnyTurn = @"\b([Tt]urns?|\w+Turns?(Async)?)\b";
    private const string OldNodes = "a function that nodes of the previous release call; goes with its wrapper";

    private static readonly Rule[] Rules =
    [
        new(
            @"(?<![\w-])[Ll]ook(?!\w|-ups| (like|for|up|at)\b)|(?<![\w-])[Ll]ook(s|ing)(?! (like|for|up)\b)\b|\b[Ll]ooked\b(?! (up|for)\b)|[Ll]ook(Async|Again|Seconds)\b|MaxLooks",
            "poll, check, read",
            ("*", @"\b(Sunset|Reconcile)?LookSeconds\b|\bMaxLooks(Unknown|Unavailable)\b", ConfigurationKey)
        ),
        new(@"\b[Tt](ell|ells|old|elling)\b|\bTell[A-Z]\w*", "notify, send, report, show, distinguish"),
        new(
            "waiting[ _]line",
            "queue",
            ("*", "'reelbase:waiting_line'", "the name of a lock that nodes and restores of both releases take"),
            ("docs/adr/0015-a-kept-queue.md", "walk_waiting_line", "says which function the index replaced")
        ),
        new(@"\b[Ww]ish(es|ed)?\b|\bWish[A-Z]\w*", "request"),
        new(@"\bmade again\b", "retried, derived again"),
        new(@"\b[Aa]stray\b", "unmatched"),
        new(@"\b_?[Ww]itness(es)?\b", "listener"),
        new(@"\b([Gg]ives?|gave|giving) way\b|GiveWay", "retry on conflict"),
        new(
            @"check_books|(?<!Apple's )\b[Bb]ooks\b",
            "ledger, verify_ledger",
            ("check_books.function.sql", "check_books", OldNodes),
            ("cleanup.grant.sql", "check_books", OldNodes),
            ("FunctionRights.cs", "check_books", OldNodes),
            ("LedgerPortionTests.cs", "check_books", OldNodes),
            ("UpgradeTests.cs", "check_books", OldNodes)
        ),
        new(
            @"\b[Hh]eal(s|ed|er|ing)?\b|\bIsHealing\b|\b[Dd]oomed\b|\bHealMinutes\b",
            "reconcile, repair; deleted object",
            ("*", @"\bHealMinutes\b", ConfigurationKey),
            ("StorageReconciler.cs", "\"(IsHealing|Healed)\"", "names of stored progress, which nodes of the previous release read"),
            ("StorageReconcilerTests.cs", "'(IsHealing|Healed)'", "progress as the previous release has stored it")
        ),
        new(@"\b[Ss]crub", "redact"),
        new(
            @"\b[Bb]eats?\b",
            "heartbeat",
            ("beat.function.sql", @"\bbeat\b", OldNodes),
            ("record_heartbeat.function.sql", "drop function if exists beat", OldNodes),
            ("nodes.grant.sql", @"\bbeat\b", OldNodes),
            ("FunctionRights.cs", "\"beat\"", OldNodes)
        ),
        new(@"\b[Gg]ather(s|ed|ing)?\b", "batch, collect"),
        new(@"\b[Ll]eaving\b|LeavingEndpoints", "account deletion, export"),
        new(
            @"join_apple_account|JoinAccounts|join_temporary_guest|\bjoined to\b|\b[Jj]oins? (a|the|those|all temporary) guests?\b|\baccount is joined\b",
            "link (an identity), merge (accounts)",
            ("join_apple_account.function.sql", "join_apple_account", OldNodes),
            ("link_apple_identity.function.sql", "drop function if exists join_apple_account", OldNodes),
            ("merge_temporary_guest.function.sql", "drop function if exists join_temporary_guest", OldNodes),
            ("sign_in.grant.sql", "join_apple_account", OldNodes),
            ("FunctionRights.cs", "join_apple_account", OldNodes)
        ),
        new(@"\b[Dd]oors?\b|DoorTests|FrontDoor|FloodGate", "endpoint, entry, prefix, listener"),
        new(@"\b[Hh]ouse\b|[a-z]House\b", "we, the installation, the project"),
        new(@"(?<!\w)[Ii]n line\b", "in the queue"),
        new(@"\b[Rr]ooms\b", "modules, features", ("RestEmbedBoundTests.cs", @"\brooms\b", "a table that the test makes")),
        new(@"\b(class |<)Reconciler\b", "PurchaseReconciler, StorageReconciler"),
        new(
            // Not the verb (turns rows into, turn it off), and not those who alternate (take turns, in turns).
            @"(?<!\b(in|takes?|took) )\b[Tt]urns?\b(?! (a|an|counters|dark|into|it|its|keys|off|on|out|rows|round|the|what|whatever)\b)|[a-z]Turns?(Async)?\b",
            "lease (of work), served (of the queue), round",
            ("*", @"(?<=[.(""]|, |set |as )turns\b", "provider_states.turns, a column"),
            ("QueueMemory.cs", @"\bTurns\b", "filled from that column, by its name"),
            ("src/Reelbase.Server/Features/Devices/", AnyTurn, GrantTurn),
            ("Platform/Http/README.md", AnyTurn, GrantTurn),
            ("THREATS.md", AnyTurn, GrantTurn),
            ("docs/reliability.md", AnyTurn, GrantTurn),
            ("Economy/", AnyTurn, GrantTurn),
            ("MergeInterleavingTests.cs", AnyTurn, GrantTurn),
            ("DeviceOverlapTests.cs", AnyTurn, GrantTurn),
            ("DeviceGrantTests.cs", AnyTurn, GrantTurn),
            ("CrowdTests.cs", AnyTurn, GrantTurn),
            ("CostTests.cs", AnyTurn, GrantTurn),
            ("TestSystem.cs", AnyTurn, GrantTurn)
        ),
    ];

    /// <summary>Written by hand: what tools have written (clients' code, documents from the database and the settings) follows its source.</summary>
    private static readonly Regex Written = new(
        @"^(src|database|docs|tests|deploy|bench|tools|clients|\.ci)/.*\.(cs|sql|razor|resx|md|http|mjs|ts|sh|yml|yaml|conf|json|css|js)$|^(reelbase|\.ci/run|deploy/pin-images|clients/dotnet/generate|[A-Z]+\.md)$",
        RegexOptions.CultureInvariant
    );

    private static readonly Regex NotRead = new(
        // Migrations were applied and may not change; the changelog speaks of releases as they were; generated files follow their source.
        @"^(database/migrations/|docs/(schema|errors|configuration|metrics)\.md|docs/api/|clients/dotnet/Generated/|clients/typescript/src/generated/|CHANGELOG\.md)|/(bin|obj|node_modules|wwwroot|dist)/|lock\.json$|/WordsTests\.cs$",
        RegexOptions.CultureInvariant
    );

    private static readonly Lazy<IReadOnlyList<(string File, string[] Lines)>> Texts = new(() =>
        [
            .. from path in Directory.EnumerateFiles(Repository.Root, "*", SearchOption.AllDirectories)
            let name = Path.GetRelativePath(Repository.Root, path).Replace('\\', '/')
            where Written.IsMatch(name) && !NotRead.IsMatch(name)
            orderby name
            select (name, File.ReadAllLines(path).Select(SpellNames).ToArray()),
        ]
    );

    /// <summary>Names of tests and of classes as the words that they are made of.</summary>
    private static string SpellNames(string line) =>
        TypeName.Replace(TestName.Replace(line, name => name.Value.Replace('_', ' ')), name => CaseBoundary.Replace(name.Value, " "));

    private static readonly Regex TestName = new(@"\b[A-Z][a-z]*(_[A-Za-z0-9]+)+\b", RegexOptions.CultureInvariant);
    private static readonly Regex TypeName = new(@"(?<=\b(class|record|struct|interface|enum) )[A-Z]\w+", RegexOptions.CultureInvariant);
    private static readonly Regex CaseBoundary = new("(?<=[a-z0-9])(?=[A-Z])", RegexOptions.CultureInvariant);

    [Fact]
    public void No_word_of_the_old_side_of_the_glossary_is_left()
    {
        var found = new List<string>();
        foreach (var rule in Rules)
        {
            var old = new Regex(rule.Old, RegexOptions.CultureInvariant);
            foreach (var (file, lines) in Texts.Value)
            {
                var allowed = rule.Exceptions.Where(exception => IsAbout(exception.File, file)).Select(exception => new Regex(exception.Pattern)).ToList();
                for (var number = 0; number < lines.Length; number++)
                {
                    if (old.IsMatch(lines[number]) && old.Match(Without(lines[number], allowed)) is { Success: true } match)
                    {
                        found.Add($"{file}:{number + 1}: \"{match.Value}\": write {rule.Instead}");
                    }
                }
            }
        }
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Fact]
    public void An_exception_that_nothing_needs_any_more_is_taken_out() =>
        Assert.Empty(
            from rule in Rules
            from exception in rule.Exceptions
            let allowed = new Regex(exception.Pattern)
            where !Texts.Value.Any(text => IsAbout(exception.File, text.File) && text.Lines.Any(allowed.IsMatch))
            select $"{exception.File}: {exception.Pattern} ({exception.Reason})"
        );

    private static bool IsAbout(string named, string file) =>
        named == "*"
        || (named.EndsWith('/') ? file.Contains(named, StringComparison.Ordinal) : file == named || file.EndsWith("/" + named, StringComparison.Ordinal));

    private static string Without(string line, IEnumerable<Regex> allowed) => allowed.Aggregate(line, (text, pattern) => pattern.Replace(text, "-"));
}
