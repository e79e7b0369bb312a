using System.Globalization;
using Xunit.v3;

namespace Reelbase.Tests.Support;

/// <summary>Pure code, or SQL functions on the one database of <see cref="Sql.SqlDatabase"/>: <c>./reelbase test --quick</c>. No server, no wait.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class QuickAttribute : Attribute, ITraitAttribute
{
    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Tier", "quick")];
}

/// <summary>
/// Random histories, kills and floods: a small share of each is part of every run, the whole of it is <c>./reelbase test --campaign</c>.
/// How much is asked of <see cref="Campaign.Share"/>, chance comes from <see cref="Campaign.Seed"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class CampaignAttribute : Attribute, ITraitAttribute
{
    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Tier", "campaign")];
}

/// <summary>How much of a campaign this run does, and from which seed.</summary>
public static class Campaign
{
    /// <summary>Whether whole campaigns were asked for.</summary>
    public static bool IsWhole { get; } = Environment.GetEnvironmentVariable("REELBASE_CAMPAIGN") == "whole";

    /// <summary>One seed for the whole run; the script prints it, and <c>--seed</c> sets it to repeat a run.</summary>
    public static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("REELBASE_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : Random.Shared.Next();

    /// <summary>The number of rounds: a share in an ordinary run, all of them in a campaign.</summary>
    public static int Share(int share, int whole) => IsWhole ? whole : share;

    /// <summary>What a failure has to say so that it can be repeated.</summary>
    public static string Repeat { get; } = $"seed {Seed}; again with ./reelbase test {(IsWhole ? "--campaign " : "")}--seed {Seed}";
}
