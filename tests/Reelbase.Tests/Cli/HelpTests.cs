using System.CommandLine;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Reelbase.Server.Cli;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What help says there is, there is; what there is, help says; and a word that is neither is refused before anything happens.</summary>
public sealed partial class HelpTests
{
    [GeneratedRegex("--[a-z][a-z-]+")]
    private static partial Regex Option();

    private static readonly string ScriptText = Reelbase.Dev.CommandTree.HelpText;

    [Theory]
    [InlineData("import", "import supabase")]
    [InlineData("migrate", "migrate")]
    [InlineData("doctor", "doctor")]
    [InlineData("version", "version")]
    public void The_scripts_help_names_every_option_of_a_verb_and_no_other(string verb, string path) =>
        Assert.Equal(Verbs().Single(known => known.Path == path).Options, Said(ScriptLine(verb)));

    [Fact]
    public void The_scripts_help_names_no_option_of_admin_that_is_not_there()
    {
        var known = Verbs().Where(verb => verb.Path.StartsWith("admin ", StringComparison.Ordinal)).SelectMany(verb => verb.Options).Append("--database");
        Assert.Empty(Said(ScriptLine("admin")).Except(known));
    }

    [Fact]
    public void The_help_of_a_group_names_every_verb_and_option_that_it_has()
    {
        var verbs = Verbs().ToList();
        var lines = HelpOf("admin").Split('\n');
        foreach (var (path, options) in verbs.Where(verb => verb.Path.StartsWith("admin ", StringComparison.Ordinal)))
        {
            var line = lines.Single(line => line == path || line.StartsWith(path + " ", StringComparison.Ordinal));
            Assert.Equal(options, Said(line));
        }
        Assert.Equal(["admin", "doctor", "import", "migrate", "version"], verbs.Select(verb => verb.Path.Split(' ')[0]).Distinct().Order());
        // --data is the script's word for where everything is.
        Assert.Equal(verbs.Single(verb => verb.Path == "import supabase").Options, Said(HelpOf("import")).Except(["--data", "--help"]));
    }

    [Theory]
    [InlineData("doctor")]
    [InlineData("migrate")]
    [InlineData("version")]
    [InlineData("import", "supabase")]
    [InlineData("admin", "cleanup")]
    [InlineData("admin", "create")]
    [InlineData("admin", "trace")]
    [InlineData("admin", "restore")]
    [InlineData("admin", "promo", "create")]
    public void Every_verb_has_help_that_needs_neither_its_words_nor_a_database(params string[] words)
    {
        var path = string.Join(' ', words);
        var help = HelpOf(words);
        Assert.Contains($"reelbase {path} ", help, StringComparison.Ordinal);
        Assert.Empty(Verbs().Single(verb => verb.Path == path).Options.Except(Said(help)));
    }

    [Fact]
    public async Task Help_is_printed_by_a_process_that_has_no_database_and_ends_with_0()
    {
        var folder = Path.Combine(TestCluster.Home, "helped-" + Guid.NewGuid().ToString("N")[..8]);
        var (code, output) = await ServerProcess.RunAsync(
            new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = folder },
            "admin",
            "cleanup",
            "--help"
        );
        Assert.Equal(0, code);
        Assert.Contains("--dry-run", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("test")]
    public void The_scripts_help_names_every_option_of_a_verb_of_its_own_and_no_other(string verb)
    {
        var options = Reelbase.Dev.CommandTree.New().Subcommands.Single(command => command.Name == verb).Options.Select(option => option.Name);
        Assert.Equal(options.Except(["--help"]).Order(StringComparer.Ordinal), Said(ScriptLine(verb)).Except(["--filter-class"]));
    }

    [Fact]
    public async Task The_scripts_help_needs_nothing_but_the_script()
    {
        // Neither the SDK nor PostgreSQL is on this path.
        var folder = Directory.CreateDirectory(Path.Combine(TestCluster.Home, "bare-" + Guid.NewGuid().ToString("N")[..8])).FullName;
        foreach (var program in (string[])["bash", "cat", "dirname", "env"])
        {
            File.CreateSymbolicLink(Path.Combine(folder, program), File.Exists($"/usr/bin/{program}") ? $"/usr/bin/{program}" : $"/bin/{program}");
        }
        var (code, output) = await DeployTests.RunAsync(Path.Combine(Repository.Root, "reelbase"), ["help"], new() { ["PATH"] = folder });
        Assert.Equal((0, ScriptText), (code, output));
    }

    [Theory]
    [InlineData(
        "import: there is no option --dryrun; did you mean --dry-run?",
        "import",
        "supabase",
        "--from",
        "postgres://postgres@127.0.0.1:1/x",
        "--dryrun"
    )]
    [InlineData("import: --database needs a value", "import", "supabase", "--from", "postgres://postgres@127.0.0.1:1/x", "--database")]
    [InlineData("import: --from needs a value", "import", "supabase", "--from", "--dry-run")]
    [InlineData("import: postgres://x@y/z stands alone", "import", "supabase", "postgres://x@y/z")]
    [InlineData(
        "admin: there is no option --dryrun; did you mean --dry-run?",
        "admin",
        "cleanup",
        "--dryrun",
        "--database",
        "postgres://postgres@127.0.0.1:1/x"
    )]
    [InlineData("admin: there is no option --mail; did you mean --email?", "admin", "create", "--mail", "a@b.example")]
    [InlineData("admin: 'reconcil' is no verb; did you mean reconcile?", "admin", "reconcil")]
    [InlineData("admin: 'promo lst' is no verb; did you mean promo list?", "admin", "promo", "lst")]
    [InlineData("admin: trace needs to be given what it is about", "admin", "trace")]
    [InlineData("admin: extra stands alone", "admin", "cleanup", "extra")]
    [InlineData("'docter' is no verb; did you mean doctor?", "docter")]
    [InlineData("version: there is no option --databas; did you mean --database?", "version", "--databas", "x")]
    [InlineData("migrate: there is no option --dryrun; did you mean --dry-run?", "migrate", "--database", "postgres://postgres@127.0.0.1:1/x", "--dryrun")]
    [InlineData("doctor: there is no option --jason; did you mean --json?", "doctor", "--jason")]
    [InlineData("admin: 'creat' is no verb; did you mean create?", "admin", "creat")]
    [InlineData("admin: create needs --email", "admin", "create")]
    [InlineData("admin: --email is given more than once", "admin", "create", "--email", "a@b.example", "--email", "c@d.example")]
    [InlineData("admin: there is no option --wall; did you mean --wal?", "admin", "restore", "--wall", "folder")]
    [InlineData("admin: there is no option --dry-run", "admin", "backup", "--dry-run")]
    [InlineData("admin: false stands alone", "admin", "cleanup", "--dry-run", "false")]
    [InlineData("admin: five is nothing that close-report can be about", "admin", "close-report", "five")]
    public void A_word_that_is_no_option_is_refused_before_anything_happens(string line, params string[] words)
    {
        var wrong = CommandLineErrors.Find(CommandTree.Parse(words));
        Assert.Equal((2, false), (wrong?.Code, wrong?.IsHelp));
        Assert.StartsWith(line, wrong?.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin: --limit is a number from 1", "admin", "deliveries", "--limit", "many")]
    [InlineData("admin: --status is open or closed", "admin", "reports", "--status", "opened")]
    [InlineData("admin: --role is support or operator", "admin", "role", "--email", "a@b.example", "--role", "owner")]
    [InlineData("admin: --credits is a number from 1", "admin", "promo", "create", "--credits", "0", "--uses", "1")]
    [InlineData("admin: --until is a time", "admin", "restore", "backup", "--until", "noon or so")]
    [InlineData("migrate: --database is an address such as postgres://", "migrate", "--database", "x")]
    [InlineData("migrate: --database is an address such as postgres://", "migrate", "--database", "mysql://root@127.0.0.1/x")]
    [InlineData("admin: --database is an address such as postgres://", "admin", "reconcile", "--database", "Hots=127.0.0.1;Database=x")]
    [InlineData("doctor: --database is an address such as postgres://", "doctor", "--database", "x")]
    public void A_value_that_cannot_be_right_is_refused_before_anything_happens(string line, params string[] words)
    {
        var wrong = CommandLineErrors.Find(CommandTree.Parse(words));
        Assert.Equal((1, false), (wrong?.Code, wrong?.IsHelp));
        Assert.StartsWith(line, wrong?.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_with_a_wrong_word_ends_with_2_and_does_nothing()
    {
        var (code, output) = await ServerProcess.RunAsync("admin", "cleanup", "--dryrun", "--database", "postgres://postgres@127.0.0.1:1/x");
        Assert.Equal(2, code);
        Assert.StartsWith("admin: there is no option --dryrun; did you mean --dry-run?", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_only_says_what_it_would_do_makes_no_installation()
    {
        var folder = Path.Combine(TestCluster.Home, "mistyped-" + Guid.NewGuid().ToString("N")[..8]);
        var (code, output) = await ServerProcess.RunAsync(
            new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = folder },
            ["migrate", "--dry-run"]
        );
        Assert.Equal(1, code);
        Assert.Contains("nothing was made", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    /// <summary>An option that would be taken and change nothing lets somebody believe that it did.</summary>
    [Theory]
    [InlineData("admin: --until needs --wal", "admin", "restore", "backup", "--until", "2026-01-02T03:04:05Z")]
    [InlineData("admin: admin keys takes no --database", "admin", "keys", "--database", "postgres://postgres@127.0.0.1:1/x")]
    [InlineData("import: --service-key-file is for --files", "import", "supabase", "--from", "postgres://postgres@127.0.0.1:1/x", "--service-key-file", "key")]
    public async Task An_option_that_would_do_nothing_is_refused(string line, params string[] words)
    {
        var (code, output) = await ServerProcess.RunAsync(words);
        Assert.Equal(2, code);
        Assert.StartsWith(line, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "--Server:Roles:0", "admin")]
    [InlineData(false, "Server:Roles:0=admin")]
    [InlineData(false)]
    [InlineData(true, "admin")]
    [InlineData(true, "--version")]
    [InlineData(true, "-h")]
    public void Without_a_verb_the_words_are_settings_also_when_a_value_is_called_like_one(bool isVerb, params string[] words) =>
        Assert.Equal(isVerb, CommandTree.IsVerb(words));

    [Theory]
    [InlineData("reconcile")]
    [InlineData("create", "--email", "a@support.example")]
    [InlineData("backup", "somewhere")]
    [InlineData("database-url")]
    [InlineData("anon-key")]
    [InlineData("keys")]
    public async Task A_verb_of_admin_with_a_mistyped_folder_makes_nothing_and_says_what_it_looked_for(params string[] words)
    {
        var folder = Path.Combine(TestCluster.Home, "mistyped-" + Guid.NewGuid().ToString("N")[..8]);
        var (code, output) = await ServerProcess.RunAsync(new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = folder }, ["admin", .. words]);
        Assert.Equal(1, code);
        Assert.Contains(folder, output, StringComparison.Ordinal);
        Assert.Contains("nothing was made", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("unknown verb docter; did you mean doctor?", "docter")]
    [InlineData("unknown option --prot; did you mean --port?", "run", "--prot", "5080")]
    [InlineData("unknown option --no-dem; did you mean --no-demo?", "run", "--no-dem")]
    [InlineData("check takes no --fast", "check", "--fast")]
    [InlineData("--data needs a folder", "run", "--data")]
    [InlineData("--data needs a folder", "migrate", "--data")]
    public async Task The_script_ends_with_2_for_what_it_does_not_understand_and_names_the_nearest_word(string line, params string[] words)
    {
        var (code, output) = await DeployTests.RunAsync(Path.Combine(Repository.Root, "reelbase"), words);
        Assert.Equal(2, code);
        Assert.Contains(line, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_beside_another_program_on_its_port_is_refused_and_never_prints_ready()
    {
        await using var taken = WebApplication.CreateSlimBuilder().Build();
        taken.Urls.Add(TestSystem.AnyPort);
        await taken.StartAsync();
        var port = new Uri(TestSystem.AddressOf(taken)).Port;
        var folder = Path.Combine(TestCluster.Home, "beside-" + Guid.NewGuid().ToString("N")[..8]);
        var (code, output) = await DeployTests.RunAsync(Path.Combine(Repository.Root, "reelbase"), ["run", "--port", $"{port}", "--data", folder, "--no-demo"]);
        Assert.Equal(1, code);
        Assert.Contains($"another program listens on port {port}", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Ready:", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
        await taken.StopAsync();
    }

    /// <summary>Every verb of the tree, with the options that it takes.</summary>
    private static IEnumerable<(string Path, List<string> Options)> Verbs()
    {
        return Below(CommandTree.New());

        static IEnumerable<(string Path, List<string> Options)> Below(Command command) =>
            command.Subcommands.Count == 0
                ? [(CommandHelp.Path(command), command.Options.Select(option => option.Name).Order(StringComparer.Ordinal).ToList())]
                : command.Subcommands.Where(inner => !inner.Hidden).SelectMany(Below);
    }

    private static string HelpOf(params string[] words)
    {
        using var output = new StringWriter();
        Assert.Equal(0, CommandTree.Parse([.. words, "--help"]).Invoke(new InvocationConfiguration { Output = output }));
        return output.ToString();
    }

    private static List<string> Said(string text) => Option().Matches(text).Select(match => match.Value).Distinct().Order(StringComparer.Ordinal).ToList();

    /// <summary>What the script's help says of a verb: its line and what is indented below it.</summary>
    private static string ScriptLine(string verb)
    {
        var lines = ScriptText.Split('\n').ToList();
        var at = lines.FindIndex(line => line.StartsWith($"./reelbase {verb} ", StringComparison.Ordinal));
        // --data is explained once for three verbs.
        var more = lines
            .Skip(at + 1)
            .TakeWhile(line => line.StartsWith("    --", StringComparison.Ordinal) && !line.Contains("with migrate, import", StringComparison.Ordinal));
        return string.Join('\n', [lines[at], .. more]);
    }
}
