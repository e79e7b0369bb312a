using System.Globalization;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>
/// What a request for a finished job and a press allocate in the server, in bytes, as .NET counts them in a process that does nothing else. The bounds are a quarter above
/// what was measured: whoever goes beyond one has made every request dearer for the collector.
/// </summary>
[Collection(NonParallelCollection.Name)]
public sealed class AllocationTests(AllocationTests.ApiAlone system) : IClassFixture<AllocationTests.ApiAlone>
{
    private const int Requests = 250;

    /// <summary>Code that is compiled and pools that grow make one try dearer, never cheaper.</summary>
    private const int Tries = 3;

    /// <summary>A node that serves and works on nothing, as a process of its own.</summary>
    public sealed class ApiAlone : TestSystem
    {
        public async Task<ServerProcess> StartOtherAsync(string url)
        {
            var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
            settings.Remove("Server:Roles:1");
            settings["Database:ConnectionString"] = Owner;
            return await ServerProcess.StartAsync(url, settings);
        }
    }

    [Fact]
    public async Task A_request_for_a_finished_job_and_a_press_allocate_no_more_than_they_did()
    {
        using var address = LoopbackAddress.Hold();
        await using var node = await system.StartOtherAsync(address.Url);
        var phone = await Phone.OnboardAsync(address.Url);
        await system.QueryAsync<string>($"select add_credits('{phone.UserId}', {8 * Requests * (Tries + 1)}, 'admin_adjustment')::text");
        var job = (await phone.GenerateAndWatchAsync("A job to ask for")).GetProperty("job_id").GetString();
        // Nobody works on what is pressed from here on.
        await using var alone = await system.StopServerAsync();
        using var http = new HttpClient { BaseAddress = new Uri(address.Url), Timeout = Patience.Span };
        Assert.InRange(await CheapestAsync(http, () => phone.GetAsync($"/get-video-status?job_id={job}")), 4_000, 20_000);
        Assert.InRange(await CheapestAsync(http, () => phone.GenerateAsync("A paper boat on a quiet lake")), 8_000, 26_500);
        await system.AssertLedgerAsync();
    }

    /// <summary>Bytes for each request, of the cheapest of some tries.</summary>
    private static async Task<double> CheapestAsync(HttpClient http, Func<Task<ApiResponse>> ask)
    {
        var cheapest = double.MaxValue;
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var before = await AllocatedAsync(http, 0);
            for (var request = 0; request < Requests; request++)
            {
                Assert.True((await ask()).Raw.IsSuccessStatusCode);
            }
            cheapest = Math.Min(cheapest, (await AllocatedAsync(http, before + 1) - before) / Requests);
        }
        return cheapest;
    }

    /// <summary>All that the process has allocated. The exporter repeats an answer for a third of a second, so it is asked until it has counted further.</summary>
    private static async Task<double> AllocatedAsync(HttpClient http, double atLeast) =>
        await Eventually.IsAsync(
            async () =>
                (await http.GetStringAsync("/metrics"))
                    .Split('\n')
                    .Where(line => line.StartsWith("dotnet_gc_heap_total_allocated_bytes_total", StringComparison.Ordinal))
                    .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture)),
            allocated => allocated >= atLeast
        );
}
