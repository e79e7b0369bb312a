using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What files take, as an operator sees it, with jobs that end at the same time.</summary>
public sealed class StorageUseStoryTests(StorageUseStoryTests.Installation system) : IClassFixture<StorageUseStoryTests.Installation>
{
    /// <summary>A system that sums all the time.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new(base.Settings)
            {
                ["Storage:CapacityGigabytes"] = "1",
                ["Storage:UseSeconds"] = "0.1",
                ["Telemetry:StatisticsSeconds"] = "0.1",
            };
    }

    private const string Counted = "select coalesce(sum(bytes), 0)::bigint from internal.read_storage_use()";
    private const string Stored = "select coalesce(sum(size_bytes), 0)::bigint from storage_objects";

    [Fact]
    public async Task Videos_that_are_finished_and_deleted_are_in_the_console_and_the_metrics_by_kind()
    {
        var phones = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => system.NewGuestAsync(100)));
        await Task.WhenAll(phones.Select(phone => phone.GenerateAndWatchAsync("A boat")));
        var bytes = await system.QueryAsync<long>(Stored);
        Assert.True(bytes > 0);
        Assert.Equal(bytes, await system.QueryAsync<long>(Counted));
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from storage_use_changes"), rows => rows == 0);
        Assert.Equal(bytes, await system.QueryAsync<long>("select sum(bytes)::bigint from storage_use"));
        foreach (var page in new[] { "/admin-system", "/admin-overview" })
        {
            var storage = (await system.GetAsync(page))["storage"];
            Assert.Equal((bytes, 1_000_000_000L), (storage.GetProperty("bytes").GetInt64(), storage.GetProperty("capacity_bytes").GetInt64()));
            Assert.Equal(
                await system.RowsAsync(
                    "select bucket, sum(size_bytes), count(*) from storage_objects where size_bytes is not null group by bucket order by bucket"
                ),
                storage
                    .GetProperty("kinds")
                    .EnumerateArray()
                    .Select(kind => $"{kind.GetProperty("kind")}|{kind.GetProperty("bytes")}|{kind.GetProperty("objects")}")
            );
        }
        using var scraper = new HttpClient { BaseAddress = new Uri(system.Url) };
        await Eventually.IsAsync(
            () => scraper.GetStringAsync("/metrics"),
            text => text.Contains("reelbase_storage_bytes{", StringComparison.Ordinal) && text.Contains("kind=\"videos\"", StringComparison.Ordinal)
        );
        var job = await system.QueryAsync<Guid>($"select job_id from video_jobs where user_id = '{phones[0].UserId}'");
        await phones[0].PostAsync("/delete-video-job", new { job_id = job });
        await Eventually.IsAsync(() => system.QueryAsync<long>(Stored), rest => rest < bytes && rest > 0);
        await Eventually.IsAsync(async () => await system.QueryAsync<long>(Counted) - await system.QueryAsync<long>(Stored), difference => difference == 0);
    }
}
