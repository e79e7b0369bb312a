using System.Net;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>
/// A process is frozen (SIGSTOP) past its lease while it waits for somebody outside, another finishes its work, and it is thawed: what it then records changes nothing.
/// </summary>
[Collection(NonParallelCollection.Name)]
public sealed class FrozenWorkerTests(FrozenWorkerTests.TwoProcesses system) : IClassFixture<FrozenWorkerTests.TwoProcesses>
{
    /// <summary>Longer than any of these stories: the answer is held until the story lets it go.</summary>
    private const double Hour = 3600;

    /// <summary>The server of the test system serves; a process of its own can be frozen.</summary>
    public sealed class TwoProcesses : TestSystem
    {
        private const int LeaseSeconds = 2;

        protected override Dictionary<string, string?> Settings => Short();

        /// <summary>Only the API, so that the work is the other process's.</summary>
        public Task ServeApiAloneAsync() => RestartServerAsync(new() { ["Server:Roles:1"] = "api" });

        /// <summary>The API and a worker.</summary>
        public Task ServeAllAsync() => RestartServerAsync();

        public async Task<ServerProcess> StartOtherAsync(string url)
        {
            var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
            settings["Database:ConnectionString"] = Owner;
            foreach (var (key, value) in Short())
            {
                settings[key] = value;
            }
            return await ServerProcess.StartAsync(url, settings);
        }

        private static Dictionary<string, string?> Short() =>
            new()
            {
                ["Work:LeaseSeconds"] = $"{LeaseSeconds}",
                ["Work:DrainSeconds"] = "120",
                ["Devices:TurnSeconds"] = $"{LeaseSeconds}",
                ["Devices:MaxWaitSeconds"] = "30",
                ["Fal:SubmitTimeoutSeconds"] = "120",
            };
    }

    [Fact]
    public async Task Frozen_with_apples_answer_on_its_way_it_does_not_grant_the_same_phone_twice()
    {
        const string grants = "select count(*) from quota_log where reason = 'initial_grant'";
        var before = await system.QueryAsync<long>(grants);
        var device = "frozen-" + Guid.NewGuid();
        using var address = LoopbackAddress.Hold();
        await using var frozen = await system.StartOtherAsync(address.Url);
        await using var outage = await system.OutageAsync("devicecheck/v1/query_two_bits", "slow");
        var first = Phone.CheckAsync(address.Url, Guid.NewGuid().ToString(), Phone.TokenOf(device));
        await Eventually.IsAsync(
            () => system.Control.GetStringAsync("/_control/devicecheck/devices"),
            devices => devices.Contains($"\"{device}\":1", StringComparison.Ordinal)
        );
        await frozen.FreezeAsync();
        await outage.EndAsync();
        var other = await Phone.OnboardAsync(system.Url, Guid.NewGuid().ToString(), device);
        // Whose it is depends on whether the rescued grant of the first or the other's own is asked about first.
        await Eventually.IsAsync(() => system.QueryAsync<long>(grants), count => count == before + 1);
        await frozen.ThawAsync();
        var answer = await first;
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        await system.AssertEventuallyNoOpenGrantAsync();
        var ids = $"'{other.UserId}', '{answer["user_id"]}'";
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from quota_log where reason = 'initial_grant' and user_id in ({ids})"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Frozen_while_it_submits_the_job_is_finished_by_another_and_stays_finished()
    {
        await system.ServeApiAloneAsync();
        var phone = await system.NewGuestAsync();
        using var address = LoopbackAddress.Hold();
        await using var frozen = await system.StartOtherAsync(address.Url);
        await using var outage = await system.OutageAsync("fal/fal-ai", "slow");
        var prompt = $"Frozen while submitting {Guid.NewGuid():N} [slow 3]";
        var job = (await phone.GenerateAsync(prompt))["job_id"].GetString()!;
        await Eventually.IsAsync(() => system.SubmissionsAsync(prompt), submissions => submissions.Count == 1);
        await frozen.FreezeAsync();
        await system.ServeAllAsync();
        // What the provider answers now waits in the frozen process's socket until it is thawed.
        await outage.EndAsync();
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        await AssertThawingChangesNothingAsync(frozen, job);
        Assert.Single(await system.SubmissionsAsync(prompt));
        Assert.Equal(2, await phone.CreditsAsync());
    }

    [Fact]
    public async Task Frozen_while_it_fetches_the_video_is_fetched_by_another_and_stays_there()
    {
        await system.ServeApiAloneAsync();
        var phone = await system.NewGuestAsync();
        using var address = LoopbackAddress.Hold();
        await using var frozen = await system.StartOtherAsync(address.Url);
        await using var outage = await system.OutageAsync("fal/files", "slow");
        var job = (await phone.GenerateAsync("Frozen while fetching"))["job_id"].GetString()!;
        await Eventually.IsAsync(
            () => system.QueryAsync<bool>($"select stage = 'fetching' and leased_by is not null from video_jobs where job_id = '{job}'"),
            isFetching => isFetching
        );
        await frozen.FreezeAsync();
        await outage.EndAsync();
        await system.ServeAllAsync();
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        await AssertThawingChangesNothingAsync(frozen, job);
        using var http = new HttpClient();
        var video = (await phone.GetAsync($"/get-video-status?job_id={job}"))["video_url"].GetString();
        Assert.NotEmpty(await http.GetByteArrayAsync(video));
    }

    private async Task AssertThawingChangesNothingAsync(ServerProcess frozen, string job)
    {
        var before = await StateAsync(job);
        await frozen.ThawAsync();
        // It ends what it was doing before it ends itself.
        await frozen.StopAsync();
        Assert.Equal(before, await StateAsync(job));
        await system.AssertLedgerAsync();
    }

    private Task<List<string>> StateAsync(string job) =>
        system.RowsAsync(
            $"""
            select 'job', status, stage, attempt::text, video_url, completed_at::text, leased_by from video_jobs where job_id = '{job}'
            union all select 'ledger', reason, change::text, null, null, null, null from quota_log where job_id = '{job}'
            union all select 'file', bucket, state, size_bytes::text, name, null, null from storage_objects where job_id = '{job}'
            order by 1, 2, 3
            """
        );
}
