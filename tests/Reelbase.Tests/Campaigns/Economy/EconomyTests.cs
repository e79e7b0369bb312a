using System.Globalization;
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
            Enum.TryParse<Parts>(Environment.GetEnvironmentVariable("REELBASE_PARTS"), out var parts) ? parts : Parts.All,
            maxFailures: Number("REELBASE_FAILURES", 1)
        );
        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Assert.True(report.Failures.Count == 0, report.ToString());
        ReliabilityDocument.Record(
            "economy",
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                Recorded on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores: **{report.Histories} histories, no failure**; {report.Steps} steps in
                {report.Seconds / 60:0} minutes, {report.Histories / report.Seconds:0} histories a second, seed {report.Seed}.
                """
            )
        );
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
