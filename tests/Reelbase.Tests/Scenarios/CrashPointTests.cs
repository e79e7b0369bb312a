using Reelbase.Server.Platform.Work;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>The worker dies at each named step of a job, and the job still ends as it must: at most one job at the provider, a video or the credits.</summary>
public abstract class CrashPointTests(CrashPointTests.Mortal system)
{
    /// <summary>A server that is told where to die.</summary>
    public class Mortal : TestSystem
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await Server.StopAsync();
        }

        /// <summary>Starts it; it dies when it passes the place.</summary>
        public Task<ServerProcess> StartAsync(bool hasWebhooks, bool isSilent, string? crashAt = null)
        {
            var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
            settings["Database:ConnectionString"] = Owner;
            settings["Fal:UserId"] = hasWebhooks ? "user_sim" : "";
            // Only where nothing will ever be heard is the deadline waited for; elsewhere a slow start must not run into it.
            settings["Generation:SubmissionDeadlineSeconds"] = hasWebhooks && !isSilent ? "60" : "8";
            settings["Generation:AmbiguousSeconds"] = "2";
            settings["Work:LeaseSeconds"] = "2";
            settings["Work:CrashAt"] = crashAt;
            return ServerProcess.StartAsync(Url, settings);
        }
    }

    /// <summary>Where it dies, what the provider has then, and how the job ends with and without webhooks.</summary>
    public static TheoryData<string, int, string, string> Places { get; } =
        new()
        {
            { "submission.claimed", 1, "completed", "completed" },
            { "submission.intended", 0, "failed", "failed" },
            { "submission.sent", 1, "completed", "failed" },
            { "submission.answered", 1, "completed", "failed" },
            { "submission.recorded", 1, "completed", "completed" },
            { "result.recorded", 1, "completed", "completed" },
            { "video.downloaded", 1, "completed", "completed" },
            { "video.stored", 1, "completed", "completed" },
            { "video.completed", 1, "completed", "completed" },
        };

    protected async Task DieAndRecoverAsync(string place, bool hasWebhooks, int providerJobs, string end)
    {
        var prompt = $"Dying at {place} [slow 0.5]";
        Phone phone;
        string job;
        await using (var dying = await system.StartAsync(hasWebhooks, place == "submission.intended", place))
        {
            phone = await system.NewGuestAsync();
            job = (await phone.GenerateAsync(prompt))["job_id"].GetString()!;
            await dying.WaitForDeathAsync(20);
        }
        await using var again = await system.StartAsync(hasWebhooks, place == "submission.intended");
        var last = (await phone.WatchAsync(job))[^1];
        Assert.True(last.GetProperty("status").GetString() == end, last.GetRawText());
        Assert.Equal(end == "failed" ? "ERR_5001" : null, last.GetProperty("error_code").GetString());
        Assert.Equal(end == "failed" ? 10 : 2, await phone.CreditsAsync());
        Assert.Equal(
            end == "failed" ? ["video_generation|-8", "generation_failed_refund|8"] : ["video_generation|-8"],
            await system.RowsAsync($"select reason, change from quota_log where job_id = '{job}' order by seq")
        );
        Assert.Equal(providerJobs, (await system.SubmissionsAsync(prompt)).Count);
        Assert.Equal(
            end == "failed" ? [] : ["thumbnails|stored", "videos|stored"],
            await system.RowsAsync($"select bucket, state from storage_objects where job_id = '{job}' order by bucket")
        );
        Assert.Equal(["0"], await system.RowsAsync("select count(*) from video_jobs where stage <> 'finished' or lease_until is not null"));
        await system.AssertLedgerAsync();
    }

    /// <summary>Results come by webhook.</summary>
    public sealed class WithWebhooks(Mortal system) : CrashPointTests(system), IClassFixture<Mortal>
    {
        [Fact]
        public void Every_place_has_its_test() => Assert.Equal(CrashPoints.All, Places.Select(row => row.Data.Item1));

        [Theory]
        [MemberData(nameof(Places), MemberType = typeof(CrashPointTests))]
        public Task Whoever_dies_there_loses_nothing(string place, int providerJobs, string end, string otherEnd)
        {
            Assert.NotEmpty(otherEnd);
            return DieAndRecoverAsync(place, hasWebhooks: true, providerJobs, end);
        }
    }

    /// <summary>Results are asked for.</summary>
    public sealed class WithoutWebhooks(Mortal system) : CrashPointTests(system), IClassFixture<Mortal>
    {
        [Theory]
        [MemberData(nameof(Places), MemberType = typeof(CrashPointTests))]
        public Task Whoever_dies_there_loses_nothing(string place, int providerJobs, string otherEnd, string end)
        {
            Assert.NotEmpty(otherEnd);
            return DieAndRecoverAsync(place, hasWebhooks: false, providerJobs, end);
        }
    }
}
