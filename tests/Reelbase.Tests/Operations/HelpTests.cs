using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What help says there is, there is; what there is, help says; and a word that is neither is refused before anything happens.</summary>
public sealed partial class HelpTests
{
    [GeneratedRegex("\"(--[a-z][a-z-]+)\"")]
    private static partial Regex Literal();

    [GeneratedRegex("--[a-z][a-z-]+")]
    private static partial Regex Option();

    private static readonly string Door = File.ReadAllText(Path.Combine(Repository.Root, "reelbase"));

    [Fact]
    public async Task Import_help_and_the_doors_help_name_every_option_of_an_import_and_no_other()
    {
        var taken = Taken("ImportCommands.cs").Append("--database").Except(["--help"]).Distinct().Order(StringComparer.Ordinal).ToList();
        var (code, output) = await ServerProcess.RunAsync("import", "--help");
        Assert.Equal(0, code);
        // --data is the door's word for where everything is.
        Assert.Equal(taken, Said(output).Except(["--data"]));
        Assert.Equal(taken, Said(DoorLine("import")));
    }

    [Fact]
    public async Task The_help_of_migrate_names_its_options_and_no_other()
    {
        var taken = Taken("Commands.cs").ToList();
        Assert.Equal(taken, Said(DoorLine("migrate")));
        var (code, output) = await ServerProcess.RunAsync("--help");
        Assert.Equal(0, code);
        Assert.Equal(taken, Said(output[output.IndexOf("migrate", StringComparison.Ordinal)..output.IndexOf(", import", StringComparison.Ordinal)]));
    }

    [Fact]
    public async Task Admin_help_names_every_option_of_its_verbs_and_no_other_and_the_door_none_that_is_not_there()
    {
        var taken = Taken("AdminCommands.cs", "AdminUserCommands.cs", "BackupCommands.cs", "ModelCommands.cs", "PromoCommands.cs", "RecoveryCommands.cs")
            .Except(["--help"])
            .ToList();
        var (code, output) = await ServerProcess.RunAsync("admin", "--help");
        Assert.Equal(0, code);
        // --data is the door's word for where everything is.
        Assert.Equal(taken, Said(output).Except(["--data"]));
        Assert.Empty(Said(DoorLine("admin")).Except(taken));
    }

    [Theory]
    [InlineData("run", "run() {")]
    [InlineData("test", "run_tests() {")]
    public void The_door_names_every_option_of_a_verb_of_its_own_and_no_other(string verb, string function)
    {
        var body = Door[Door.IndexOf($"\n{function}", StringComparison.Ordinal)..];
        body = body[..body.IndexOf("\n}\n", StringComparison.Ordinal)];
        var taken = Regex
            .Matches(body, @"^ +(--[a-z| -]+)\)", RegexOptions.Multiline)
            .SelectMany(match => Said(match.Value))
            .Distinct()
            .Order(StringComparer.Ordinal);
        Assert.Equal(taken, Said(DoorLine(verb)).Except(["--filter-class"]));
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
    public async Task A_word_that_is_no_option_is_refused_before_anything_happens(string line, params string[] words)
    {
        var (code, output) = await ServerProcess.RunAsync(words);
        Assert.Equal(2, code);
        Assert.Contains(line, output, StringComparison.Ordinal);
    }

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

    [Fact]
    public async Task The_help_of_doctor_and_version_names_their_options_and_no_other()
    {
        Assert.Equal(["--database", "--json"], Said(DoorLine("doctor")));
        Assert.Equal(["--database"], Said(DoorLine("version")));
        var (code, output) = await ServerProcess.RunAsync("doctor", "--jason");
        Assert.Equal(2, code);
        Assert.Contains("doctor: there is no option --jason; did you mean --json?", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unknown verb docter; did you mean doctor?", "docter")]
    [InlineData("unknown option --prot; did you mean --port?", "run", "--prot", "5080")]
    [InlineData("unknown option --no-dem; did you mean --no-demo?", "run", "--no-dem")]
    public async Task The_door_names_the_nearest_word(string line, params string[] words)
    {
        var (code, output) = await DeployTests.RunAsync(Path.Combine(Repository.Root, "reelbase"), words);
        Assert.Equal(1, code);
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

    /// <summary>The options that the code of a verb reads.</summary>
    private static IEnumerable<string> Taken(params string[] files) =>
        files
            .SelectMany(file => Literal().Matches(File.ReadAllText(Path.Combine(Repository.Root, "src", "Reelbase.Server", file))))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .Order(StringComparer.Ordinal);

    private static List<string> Said(string text) => Option().Matches(text).Select(match => match.Value).Distinct().Order(StringComparer.Ordinal).ToList();

    /// <summary>What the door's help says of a verb: its line and what is indented below it.</summary>
    private static string DoorLine(string verb)
    {
        var lines = Door.Split('\n').SkipWhile(line => line != "help() {").ToList();
        var at = lines.FindIndex(line => line.StartsWith($"./reelbase {verb} ", StringComparison.Ordinal));
        // --data is explained once for three verbs.
        var more = lines
            .Skip(at + 1)
            .TakeWhile(line => line.StartsWith("    --", StringComparison.Ordinal) && !line.Contains("with migrate, import", StringComparison.Ordinal));
        return string.Join('\n', [lines[at], .. more]);
    }
}
