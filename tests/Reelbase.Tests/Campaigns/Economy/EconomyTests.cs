using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>Random histories of the whole economy, played through the SQL functions as the roles and compared with a model after each step.</summary>
[Campaign]
public sealed class EconomyTests
{
    private const int Databases = 2;

    [Fact]
    public async Task Random_histories_do_what_the_model_says()
    {
        var report = await EconomyCampaign.RunAsync(
            Number("REELBASE_HISTORIES", Campaign.Share(200, 100_000)),
            Campaign.Seed,
            Databases,
            Enum.TryParse<Parts>(Environment.GetEnvironmentVariable("REELBASE_PARTS"), out var parts)
                ? parts
                : Parts.Work | Parts.Support | Parts.Grants | Parts.Sales,
            maxFailures: Number("REELBASE_FAILURES", 1)
        );
        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Assert.True(report.Failures.Count == 0, report.ToString());
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
