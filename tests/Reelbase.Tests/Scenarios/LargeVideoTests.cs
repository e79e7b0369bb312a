using System.Globalization;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>A video of 400 MB passes through without ever being whole in memory.</summary>
[Collection(NonParallelCollection.Name)]
public sealed class LargeVideoTests(LargeVideoTests.Separate system) : IClassFixture<LargeVideoTests.Separate>
{
    private const long Megabyte = 1024 * 1024;
    private const long LargeMegabytes = 400;
    private const long MaxGrowthBytes = 30 * Megabyte;

    /// <summary>The server in a process of its own, so that its memory is its own.</summary>
    public sealed class Separate : TestSystem
    {
        public ServerProcess Process { get; private set; } = null!;

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await Server.StopAsync();
            var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
            settings["Database:ConnectionString"] = Owner;
            Process = await ServerProcess.StartAsync(Url, settings);
        }

        public override async ValueTask DisposeAsync()
        {
            await (Process?.DisposeAsync() ?? default);
            await base.DisposeAsync();
        }
    }

    [Fact]
    public async Task Four_hundred_megabytes_are_fetched_inspected_and_stored_in_less_than_thirty_of_memory()
    {
        var phone = await system.NewGuestAsync(100);
        // What a first video makes the program load is not the size of a video.
        for (var number = 0; number < 3; number++)
        {
            Assert.Equal("completed", (await phone.GenerateAndWatchAsync("A small one [size 20]")).GetProperty("status").GetString());
        }
        var before = system.Process.ResidentBytes();
        var most = before;
        using var over = new CancellationTokenSource();
        var measuring = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                most = Math.Max(most, system.Process.ResidentBytes());
                await Task.Delay(20, CancellationToken.None);
            }
        });
        var last = await phone.GenerateAndWatchAsync($"A large one [size {LargeMegabytes}]");
        await over.CancelAsync();
        await measuring;
        Assert.True(last.GetProperty("status").GetString() == "completed", last.GetRawText());
        Assert.Equal(
            [(LargeMegabytes * Megabyte).ToString(CultureInfo.InvariantCulture)],
            await system.RowsAsync($"select size_bytes from storage_objects where job_id = '{last.GetProperty("job_id")}' and bucket = 'videos'")
        );
        Assert.Equal(2.0, last.GetProperty("video").GetProperty("duration_seconds").GetDouble(), 1);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"resident memory: {before / Megabyte} MB before, {most / Megabyte} MB at most, grown by {(most - before) / (double)Megabyte:0.0} MB"
        );
        Assert.True(most - before < MaxGrowthBytes, $"resident memory grew by {(most - before) / Megabyte} MB");
        // And it goes out again, in parts.
        using var request = new HttpRequestMessage(HttpMethod.Get, last.GetProperty("video_url").GetString());
        request.Headers.Range = new((LargeMegabytes * Megabyte) - 10, null);
        using var part = await phone.Http.SendAsync(request);
        Assert.Equal(10, (await part.Content.ReadAsByteArrayAsync()).Length);
    }
}
