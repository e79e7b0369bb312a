using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Reelbase.Dev.Testing;

/// <summary><c>./reelbase test</c>. Its own options may stand anywhere; everything else goes to the test program as it is.</summary>
internal static partial class TestCommand
{
    private const string Quick = "--quick";
    private const string Campaign = "--campaign";

    [GeneratedRegex("^[0-9]+$")]
    private static partial Regex Digits();

    [GeneratedRegex("^[0-9a-f]{7}")]
    private static partial Regex Tree();

    /// <summary>The verb.</summary>
    public static Command New()
    {
        var (shuffle, seed, yes) = (Words.Flag("--shuffle"), Words.Text("--seed"), Words.Yes());
        Command command = new("test") { Words.Flag(Quick), Words.Flag(Campaign), shuffle, seed, yes };
        command.SetAction(
            (words, stop) =>
            {
                var tier = words.Tokens.Select(token => token.Value).LastOrDefault(word => word is Quick or Campaign);
                return RunAsync(tier, Words.Read(words, seed), words.GetValue(shuffle), words.GetValue(yes), words.UnmatchedTokens, stop);
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(string? tier, string? given, bool isShuffled, bool isAnswered, IReadOnlyList<string> words, CancellationToken stop)
    {
        if (given is not null && !Digits().IsMatch(given))
        {
            throw Refusal.Fault("--seed needs a number");
        }
        var seed = given ?? await ChooseSeedAsync(tier, stop);
        var log = SourceTree.PathOf("tests/test.log");
        Dictionary<string, string> variables = new() { ["REELBASE_SEED"] = seed };
        if (isShuffled)
        {
            variables["REELBASE_SHUFFLE"] = "yes";
        }
        if (tier == Quick)
        {
            await Builds.BuildTestsAsync(log, inHaste: true, stop);
            return await TestProgram.RunAsync(log, seed, variables, ["--filter-trait", "Tier=quick", .. words], stop);
        }
        if (tier == Campaign)
        {
            variables["REELBASE_CAMPAIGN"] = "whole";
            words = ["--filter-trait", "Tier=campaign", .. words];
        }
        await TestNeeds.PrepareAsync(isAnswered, stop);
        words = [.. TestNeeds.LeaveOut(), .. words];
        await Builds.BuildTestsAsync(log, inHaste: false, stop);
        return await TestProgram.RunAsync(log, seed, variables, words, stop);
    }

    /// <summary>A run of the same files has the same chance wherever it runs; the whole campaigns go on from another one each time.</summary>
    private static async Task<string> ChooseSeedAsync(string? tier, CancellationToken stop)
    {
        if (tier != Campaign && Tools.Has("git"))
        {
            var (_, output) = await new Call("git", "rev-parse", "HEAD^{tree}").ReadAllAsync(stop);
            if (Tree().Match(output) is { Success: true } tree)
            {
                return int.Parse(tree.Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
            }
        }
        return Random.Shared.Next(1 << 30).ToString(CultureInfo.InvariantCulture);
    }
}
