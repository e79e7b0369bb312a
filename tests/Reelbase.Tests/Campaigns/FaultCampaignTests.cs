using Reelbase.Bench.Faults;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>A short campaign of faults; <c>./reelbase bench faults</c> runs one of any length by itself.</summary>
[Campaign]
[Collection(NonParallelCollection.Name)]
public sealed class FaultCampaignTests
{
    [Fact]
    public async Task Kills_and_outages_break_no_promise()
    {
        var output = new StringWriter();
        var report = await FaultCampaign.RunAsync(Campaign.Share(1, 60) * 0.25, Campaign.Seed, output, Campaign.Share(15, FaultCampaign.AllUsers));
        Assert.True(report.IsGood, output.ToString());
        // How much is done in a quarter of a minute is the machine's affair; that something was done in spite of kills is ours.
        Assert.True(report is { ServerKills: > 0, DatabaseKills: > 0, Accepted: > 10 }, output.ToString());
    }
}
