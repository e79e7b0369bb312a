using System.Reflection;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>Where a test lies says what it is about and how long it may take; the script finds the latter by the trait.</summary>
[Trait("Check", "yes")]
[Quick]
public sealed class TierTests
{
    [Fact]
    public void What_lies_in_sql_is_quick_and_what_lies_in_campaigns_is_a_campaign()
    {
        var classes = typeof(TierTests).Assembly.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false } && HasTests(type)).ToList();
        Assert.Contains(classes, type => IsIn(type, "Sql"));
        Assert.Contains(classes, type => IsIn(type, "Campaigns"));
        Assert.Empty(classes.Where(type => IsIn(type, "Sql") && type.GetCustomAttribute<QuickAttribute>() is null).Select(type => type.FullName));
        Assert.Empty(classes.Where(type => IsIn(type, "Campaigns") && type.GetCustomAttribute<CampaignAttribute>() is null).Select(type => type.FullName));
    }

    [Fact]
    public void A_quick_test_starts_no_product() =>
        Assert.Empty(
            from type in typeof(TierTests).Assembly.GetTypes()
            where type.GetCustomAttribute<QuickAttribute>() is not null
            from fixture in type.GetInterfaces()
                .Where(found => found.IsGenericType && found.GetGenericTypeDefinition() == typeof(IClassFixture<>))
                .Select(found => found.GetGenericArguments()[0])
                .Append(type)
            where typeof(TestSystem).IsAssignableFrom(fixture)
            select type.FullName
        );

    /// <summary>Whoever changes a folder of the server finds its tests in the folder of the same name.</summary>
    [Fact]
    public void Folders_of_tests_are_folders_of_the_server()
    {
        var tests = Path.Combine(Repository.Root, "tests", "Reelbase.Tests");
        var server = Path.Combine(Repository.Root, "src", "Reelbase.Server");
        var folders =
            from area in new[] { "Features", "Integrations", "Platform" }
            from folder in Directory.GetDirectories(Path.Combine(tests, area))
            select Path.GetRelativePath(tests, folder);
        Assert.DoesNotContain(folders, folder => !Directory.Exists(Path.Combine(server, folder)));
        Assert.Empty(Directory.GetFiles(Path.Combine(tests, "Features"), "*.cs").Select(Path.GetFileName));
    }

    private static bool IsIn(Type type, string folder) => type.Namespace?.StartsWith("Reelbase.Tests." + folder, StringComparison.Ordinal) == true;

    private static bool HasTests(Type type) =>
        type.GetMethods(BindingFlags.Public | BindingFlags.Instance).Any(method => method.GetCustomAttribute<FactAttribute>() is not null);
}
