using System.Text.RegularExpressions;
using Reelbase.Server.Platform.Work;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>The rules of this repository, read from the source.</summary>
[Trait("Check", "yes")]
[Quick]
public sealed partial class ArchitectureTests
{
    private const string Server = "src/Reelbase.Server";

    [Fact]
    public void The_server_knows_no_directive_no_control_path_and_no_simulator()
    {
        string[] words =
        [
            "[reject]",
            "[fail]",
            "[slow",
            "[timeout]",
            "[lost]",
            "[429]",
            "[500]",
            "[no-webhook]",
            "[late-webhook",
            "[twice]",
            "[forged]",
            "[garbage]",
            "[huge]",
            "[redirect-private]",
            "[foreign]",
            "/_control",
            "Reelbase.Simulators",
            "user_sim",
            "sim:key",
            "device:",
        ];
        // "device:" is also how a lock is named in SQL; the token form of the simulator appears in C# only.
        Assert.Empty(
            from file in Repository
                .Files(Server, "*.cs")
                .Concat(Repository.Files(Server, "*.sql"))
                .Concat(Repository.Files(Server, "*.csproj"))
                .Concat(Repository.Files(Server, "appsettings*.json"))
            from word in words
            where
                File.ReadAllText(file).Contains(word, StringComparison.OrdinalIgnoreCase)
                && !(word == "device:" && file.EndsWith(".sql", StringComparison.Ordinal))
            select $"{Name(file)}: {word}"
        );
        Assert.DoesNotContain(typeof(Server.ServerApp).Assembly.GetReferencedAssemblies(), name => name.Name!.Contains("Simulators", StringComparison.Ordinal));
    }

    [Fact]
    public void The_platform_has_no_business_words() => Assert.Empty(Using($"{Server}/Platform", "Reelbase.Server.Features", "Reelbase.Server.Integrations"));

    [Fact]
    public void Integrations_do_not_know_features() => Assert.Empty(Using($"{Server}/Integrations", "Reelbase.Server.Features"));

    [Fact]
    public void Only_the_database_folder_opens_connections() =>
        Assert.Empty(
            from file in Repository.Files(Server, "*.cs")
            where !file.Contains("/Platform/Database/", StringComparison.Ordinal) && OpensConnections().IsMatch(File.ReadAllText(file))
            select Name(file)
        );

    /// <summary>An exception in a background service of one's own making stops the host; these two bases take care of whatever is thrown.</summary>
    [Fact]
    public void Background_work_stands_on_a_base_that_no_exception_ends() =>
        Assert.Empty(
            from type in typeof(Server.ServerApp).Assembly.GetTypes()
            where typeof(Microsoft.Extensions.Hosting.IHostedService).IsAssignableFrom(type) && !type.IsAbstract && type != typeof(WorkAfterReady)
            where !Bases(type).Any(each => each == typeof(PeriodicWork) || (each.IsGenericType && each.GetGenericTypeDefinition() == typeof(WorkLoop<>)))
            select type.FullName
        );

    private static IEnumerable<Type> Bases(Type type)
    {
        for (var each = type.BaseType; each is not null; each = each.BaseType)
        {
            yield return each;
        }
    }

    [Fact]
    public void Sql_objects_are_one_to_a_file_and_named_after_it() =>
        Assert.Empty(
            from file in Repository.Files($"{Server}/Features", "*.function.sql").Concat(Repository.Files($"{Server}/Platform", "*.function.sql"))
            let names = CreatesFunction().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value).Distinct().ToList()
            where names is not [var name] || name != Path.GetFileName(file).Split('.')[0]
            select $"{Name(file)}: {string.Join(", ", names)}"
        );

    /// <summary>In .NET <c>$</c> also matches before a line break at the end, so that a text with one more character than allowed passes; <c>\z</c> is the end.</summary>
    [Fact]
    public void Patterns_end_where_the_text_ends() =>
        Assert.Empty(from file in Repository.Files("src", "*.cs") where PatternWithDollar().IsMatch(File.ReadAllText(file)) select Name(file));

    [Fact]
    public void Files_fit_a_few_screens() =>
        Assert.Empty(
            // What Kiota wrote is one class for each operation and read by nobody: its length is the API's.
            from folder in (string[])["src", "tests", "tools", "clients/dotnet"]
            from file in Repository.Files(folder, "*.cs")
            where !file.Contains("/clients/dotnet/Generated/", StringComparison.Ordinal)
            let lines = File.ReadLines(file).Count()
            where lines > 450
            select $"{Name(file)}: {lines} lines"
        );

    [Fact]
    public void Errors_are_named_and_their_codes_stand_in_one_place() =>
        Assert.Empty(
            from file in Repository.Files(Server, "*.cs").Concat(Repository.Files(Server, "*.razor"))
            where !file.EndsWith("/ErrorCodes.cs", StringComparison.Ordinal) && ErrorCode().IsMatch(File.ReadAllText(file))
            select Name(file)
        );

    [Fact]
    public void Nothing_is_left_for_later_and_no_test_is_left_out() =>
        Assert.Empty(
            from file in Repository
                .Files("src", "*.cs")
                .Concat(Repository.Files("src", "*.sql"))
                .Concat(Repository.Files("tests", "*.cs"))
                .Concat(Repository.Files("tools", "*.cs"))
            where !file.EndsWith("ArchitectureTests.cs", StringComparison.Ordinal) && LeftForLater().IsMatch(File.ReadAllText(file))
            select Name(file)
        );

    private static IEnumerable<string> Using(string folder, params string[] forbidden) =>
        from file in Repository.Files(folder, "*.cs")
        from name in forbidden
        where File.ReadAllText(file).Contains(name, StringComparison.Ordinal)
        select $"{Name(file)}: {name}";

    private static string Name(string file) => Path.GetRelativePath(Repository.Root, file);

    [GeneratedRegex(@"new Npgsql(Connection|DataSource)|NpgsqlDataSource\.Create|NpgsqlDataSourceBuilder\(")]
    private static partial Regex OpensConnections();

    [GeneratedRegex("\"ERR_[0-9]{4}\"")]
    private static partial Regex ErrorCode();

    [GeneratedRegex(@"create (?:or replace )?function (?:internal\.)?([a-z0-9_]+)")]
    private static partial Regex CreatesFunction();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|NotImplementedException)\b|Skip\s*=")]
    private static partial Regex LeftForLater();

    [GeneratedRegex("Regex\\(@?\"[^\"\\n]*[$]\"")]
    private static partial Regex PatternWithDollar();
}
