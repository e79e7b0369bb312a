using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>What a test plants in the outside world or in a shared server ends with that test, in whatever order tests come.</summary>
[Trait("Check", "yes")]
[Quick]
public sealed partial class PlantedTests
{
    [Fact]
    public void Nobody_plants_trouble_in_a_pretend_vendor_past_what_ends_it() =>
        Assert.Empty(
            from file in Files()
            where !file.EndsWith("/TestSystem.Planting.cs", StringComparison.Ordinal)
            from Match match in Lever().Matches(File.ReadAllText(file))
            select $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value}"
        );

    [Fact]
    public void What_is_planted_is_held_by_the_test_that_planted_it() =>
        Assert.Empty(
            from file in Files()
            from line in File.ReadAllLines(file)
            where Planting().IsMatch(line) && !Declaration().IsMatch(line) && !Holding().IsMatch(line)
            select $"{Path.GetRelativePath(Repository.Root, file)}: {line.Trim()}"
        );

    [Fact]
    public void Only_a_server_of_a_tests_own_is_restarted_with_other_settings() =>
        Assert.Empty(
            from file in Files()
            let text = File.ReadAllText(file)
            from Match match in Restart().Matches(text)
            where !Regex.IsMatch(text, $@"await using var {match.Groups[1].Value} = new|private readonly \w+ {match.Groups[1].Value} = new\(")
            select $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value}"
        );

    [Theory]
    [InlineData("await shop.Apple.PostAsync(\"appstore/faults\", new { kind, count = 6 });")]
    [InlineData("await Control.PostAsJsonAsync(\"/_control/outage\", outage);")]
    [InlineData("\"/_control/devicecheck/mood\"")]
    [InlineData("$\"/_control/telegram/refusals?count={count}\"")]
    public void A_lever_is_seen_in_any_of_its_forms(string code) => Assert.Matches(Lever(), code);

    [Theory]
    [InlineData("        await system.OutageAsync(\"fal\", \"down\");", false)]
    [InlineData("        _ = await shop.FaultAsync(\"html\", \"/history\");", false)]
    [InlineData("        await using var outage = await system.OutageAsync(\"fal\", \"down\");", true)]
    [InlineData("        await using (await system.WithSettingsAsync(new() { [\"A:B\"] = \"c\" }))", true)]
    public void What_is_not_held_is_seen(string line, bool isHeld) => Assert.Equal((true, isHeld), (Planting().IsMatch(line), Holding().IsMatch(line)));

    private static IEnumerable<string> Files() => Repository.Files("tests", "*.cs").Where(file => !file.EndsWith("/PlantedTests.cs", StringComparison.Ordinal));

    [GeneratedRegex(@"(appstore/faults|_control/outage|devicecheck/mood|telegram/refusals)\b|GetRequiredService<(Outages|AppStoreState)>\(\)\.Set\w+")]
    private static partial Regex Lever();

    [GeneratedRegex(
        @"\.(OutageAsync|ProviderOutageAsync|FaultAsync|DeviceCheckMoodAsync|TelegramRefusalsAsync|HoldProviderAsync|WithSettingsAsync|StopServerAsync)\("
    )]
    private static partial Regex Planting();

    [GeneratedRegex(@"Task<Planted>")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"await using (var \w+ = |\()await ")]
    private static partial Regex Holding();

    [GeneratedRegex(@"(\w+)\.RestartServerAsync\(")]
    private static partial Regex Restart();
}
