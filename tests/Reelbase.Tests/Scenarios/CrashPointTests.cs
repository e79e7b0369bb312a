using Reelbase.Server.Platform.Work;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>The worker dies at each named step of a job, and the job still ends as it must: at most one job at the provider, a video or the credits.</summary>
public abstract class CrashPointTests(CrashPointTests.Mortal system)
{
    /// <summary>A server that is configured where to die.</summary>
    public class Mortal : TestSystem
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await Server.StopAsync();
        }

        /// <summary>Starts it as a process, which dies when it passes the place.</summary>
        public Task<ServerProcess> StartDyingAsync(bool hasWebhooks, bool isSilent, string? crashAt)
        {
            var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
            settings["Database:ConnectionString"] = Owner;
            settings["Work:CrashAt"] = crashAt;
            foreach (var (key, value) in Short(hasWebhooks, isSilent))
            {
                settings[key] = value;
            }
            return ServerProcess.StartAsync(Url, settings);
        }

        /// <summary>The next one, which lives: it may as well be in this process.</summary>
        public async Task<Microsoft.AspNetCore.Builder.WebApplication> StartNextAsync(bool hasWebhooks, bool isSilent)
        {
            // With the media tools of the one that died.
            var settings = new Dictionary<string, string?>(Short(hasWebhooks, isSilent))
            {
                ["urls"] = Url,
                ["Media:FfmpegFile"] = "",
                ["Media:FfprobeFile"] = "",
            };
            var next = BuildServer(settings);
            await next.StartAsync();
            return next;
        }

        private static Dictionary<string, string?> Short(bool hasWebhooks, bool isSilent) =>
            new()
            {
                ["Fal:UserId"] = hasWebhooks ? "user_sim" : "",
                // Only where nothing will ever be heard is the deadline waited for; elsewhere no start, however slow, may run into it.
                ["Generation:SubmissionDeadlineSeconds"] = hasWebhooks && isSilent ? "8" : Patience.NoDeadlineSeconds,
                ["Generation:AmbiguousSeconds"] = "2",
            };
    }

    /// <summary>
    /// The provider has the job and has not answered. Not a place in the process, which cannot know when its bytes were read: a request whose
    /// sender is gone before that is one that Kestrel, and many a vendor, never hands on.
    /// </summary>
    private const string Sent = "submission.sent";

    /// <summary>Where it dies, what the provider has then, and how the job ends with and without webhooks.</summary>
    private static readonly (string Place, int ProviderJobs, string WithWebhooks, string Without)[] Table =
    [
        ("submission.claimed", 1, "completed", "completed"),
        ("submission.intended", 0, "failed", "failed"),
        (Sent, 1, "completed", "failed"),
        ("submission.answered", 1, "completed", "failed"),
        ("submission.recorded", 1, "completed", "completed"),
        ("result.recorded", 1, "completed", "completed"),
        ("video.downloaded", 1, "completed", "completed"),
        ("video.stored", 1, "completed", "completed"),
        ("video.completed", 1, "completed", "completed"),
    ];

    /// <summary>The rows for a server that hears of results by webhook, or asks.</summary>
    public static TheoryData<string, int, string> Places(bool hasWebhooks) =>
        [.. Table.Select(row => (row.Place, row.ProviderJobs, hasWebhooks ? row.WithWebhooks : row.Without))];

    protected async Task DieAndRecoverAsync(string place, bool hasWebhooks, int providerJobs, string end)
    {
        var prompt = $"Dying at {place} [slow 0.5]{(place == Sent ? " [timeout]" : "")}";
        Phone phone;
        string job;
        await using (var dying = await system.StartDyingAsync(hasWebhooks, place == "submission.intended", place == Sent ? null : place))
        {
            phone = await system.NewGuestAsync();
            try
            {
                await phone.GenerateAsync(prompt);
            }
            catch (HttpRequestException)
            {
                // The worker was quicker to die than the answer to leave.
            }
            if (place == Sent)
            {
                await Eventually.IsAsync(() => system.SubmissionsAsync(prompt), submissions => submissions.Count == 1);
                await dying.KillAsync();
            }
            await dying.WaitForDeathAsync();
            job = await system.QueryAsync<string>($"select job_id::text from video_jobs where user_id = '{phone.UserId}'");
        }
        // The time of the leases of the dead: what lives has leases that a slow machine does not outlast.
        await system.ExecuteAsync(
            "update video_jobs set lease_until = now() - interval '1 second', run_after = now() where lease_until is not null;"
                + "update webhook_deliveries set lease_until = now() - interval '1 second', run_after = now() where lease_until is not null"
        );
        await using var next = await system.StartNextAsync(hasWebhooks, place == "submission.intended");
        var last = await LastAsync(phone, job, prompt);
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
        await next.StopAsync();
    }

    private async Task<System.Text.Json.JsonElement> LastAsync(Phone phone, string job, string prompt)
    {
        try
        {
            return (await phone.WatchAsync(job))[^1];
        }
        catch (OperationCanceledException)
        {
            Assert.Fail(
                string.Join(
                    '\n',
                    [
                        $"the job did not end; the provider has {(await system.SubmissionsAsync(prompt)).Count} of it",
                        .. await system.RowsAsync(
                            $"select stage, run_after, deadline_at, leased_by, lease_until, attempt from video_jobs where job_id = '{job}'"
                        ),
                        .. await system.RowsAsync($"select attempt, outcome, provider_job_id, detail from job_submissions where job_id = '{job}'"),
                        .. await system.RowsAsync("select id, status, job_id, run_after, lease_until, last_error from webhook_deliveries order by id"),
                    ]
                )
            );
            throw;
        }
    }

    /// <summary>Results come by webhook.</summary>
    public sealed class WithWebhooks(Mortal system) : CrashPointTests(system), IClassFixture<Mortal>
    {
        [Fact]
        public void Every_place_has_its_test() => Assert.Equal(CrashPoints.All, Table.Select(row => row.Place).Where(place => place != Sent));

        [Theory]
        [MemberData(nameof(Places), true, MemberType = typeof(CrashPointTests))]
        public Task Whoever_dies_there_loses_nothing(string place, int providerJobs, string end) =>
            DieAndRecoverAsync(place, hasWebhooks: true, providerJobs, end);
    }

    /// <summary>Results are asked for.</summary>
    public sealed class WithoutWebhooks(Mortal system) : CrashPointTests(system), IClassFixture<Mortal>
    {
        [Theory]
        [MemberData(nameof(Places), false, MemberType = typeof(CrashPointTests))]
        public Task Whoever_dies_there_loses_nothing(string place, int providerJobs, string end) =>
            DieAndRecoverAsync(place, hasWebhooks: false, providerJobs, end);
    }
}
