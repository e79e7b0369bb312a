using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns.Economy.Http;

/// <summary>Random histories through the whole product: a server, phones, support with a token, and simulators that the test controls.</summary>
[Campaign]
[Collection(NonParallelCollection.Name)]
public sealed class HttpHistoryTests(HttpHistoryTests.Installation system) : IClassFixture<HttpHistoryTests.Installation>
{
    private const int AtOnce = 12;

    public sealed class Installation : AdminSystem
    {
        protected override double VideoSeconds => 0.1;
    }

    [Fact]
    public async Task Histories_through_the_whole_product_end_as_the_model_says()
    {
        var histories = Campaign.Share(24, 1000);
        var failures = new ConcurrentQueue<string>();
        var watch = Stopwatch.StartNew();
        await Crowd.EachAsync(
            Enumerable.Range(0, histories),
            async number =>
            {
                if (failures.Count < 3 && await new HttpHistory(system, unchecked(Campaign.Seed * 7919 + number)).PlayAsync() is { } failure)
                {
                    failures.Enqueue(failure);
                }
            },
            AtOnce
        );
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"economy by HTTP: {histories} histories in {watch.Elapsed.TotalSeconds:0.0} s, {histories / watch.Elapsed.TotalSeconds:0.0} a second, {Campaign.Repeat}"
            )
        );
        Assert.True(failures.IsEmpty, $"{Campaign.Repeat}\n{string.Join('\n', failures)}");
        await system.AssertLedgerAsync();
    }
}
