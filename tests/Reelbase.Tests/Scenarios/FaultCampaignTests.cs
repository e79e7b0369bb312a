using Reelbase.Bench.Faults;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>A short campaign of faults; the long ones are started with <c>./reelbase bench faults</c>.</summary>
[Collection(Alone.Name)]
public sealed class FaultCampaignTests
{
    [Fact]
    public async Task Half_a_minute_of_kills_and_outages_breaks_no_promise()
    {
        var output = new StringWriter();
        var report = await FaultCampaign.RunAsync(0.5, seed: 11, output);
        Assert.True(report.IsGood, output.ToString());
        // How much is done in half a minute is the machine's affair; that something was done in spite of kills is ours.
        Assert.True(report is { ServerKills: > 0, DatabaseKills: > 0, Accepted: > 10 }, output.ToString());
    }
}
