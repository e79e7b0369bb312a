using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Work;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>What hangs holds up its own kind of work and nothing else.</summary>
public sealed class BulkheadTests(BulkheadTests.Installation system) : IClassFixture<BulkheadTests.Installation>
{
    private const int Hanging = 20;

    public sealed class Installation : TestSystem
    {
        public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _downloads;

        public int Downloads => _downloads;

        protected override Dictionary<string, string?> Settings => new() { ["Work:MaxConcurrent"] = "16" };

        protected override void MapMore(WebApplication simulators) =>
            simulators.MapGet(
                "/hanging.mp4",
                async () =>
                {
                    Interlocked.Increment(ref _downloads);
                    await Released.Task;
                    return Results.NotFound();
                }
            );

        public override async ValueTask DisposeAsync()
        {
            Released.TrySetResult();
            await base.DisposeAsync();
        }
    }

    [Fact]
    public async Task Hanging_downloads_hold_up_no_submission_no_poll_no_refund_and_no_other_provider()
    {
        var phone = await system.NewGuestAsync(1000);
        for (var number = 0; number < Hanging; number++)
        {
            await phone.GenerateAsync($"Hanging {number} [slow 600] [no-webhook]");
        }
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from video_jobs where user_id = '{phone.UserId}' and stage = 'submitted'"),
            count => count == Hanging
        );
        await system.ExecuteAsync(
            $"update video_jobs set stage = 'fetching', result_url = '{system.SimulatorsUrl}/hanging.mp4', run_after = now(), leased_by = null, lease_until = null where user_id = '{phone.UserId}'"
        );
        await Eventually.IsAsync(() => Task.FromResult(system.Downloads), count => count >= 16);

        var other = await system.NewGuestAsync(100);
        // Submitted, polled, failed and refunded, all at the provider whose downloads hang.
        Assert.Equal("failed", (await other.GenerateAndWatchAsync("It fails [fail] [no-webhook]")).GetProperty("status").GetString());
        Assert.Equal(100, await other.CreditsAsync());
        await other.GenerateAsync("It is finished there [no-webhook]");
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select stage from video_jobs where user_id = '{other.UserId}' and prompt like 'It is finished%'"),
            stage => stage == "fetching"
        );
        // It has no place yet and so no lease: whoever has room takes it.
        await Eventually.IsAsync(
            () =>
                system.QueryAsync<long>($"select count(*) from video_jobs where user_id = '{other.UserId}' and stage = 'fetching' and lease_until is not null"),
            leased => leased == 0
        );
        system.Released.SetResult();
        await Eventually.IsAsync(
            () => system.QueryAsync<string>($"select status from video_jobs where user_id = '{other.UserId}' and prompt like 'It is finished%'"),
            status => status == "completed"
        );
    }

    [Fact]
    public void A_drain_that_would_break_submissions_off_is_refused_at_start_by_its_key()
    {
        var drain = Assert.Throws<OptionsValidationException>(() =>
            system.BuildServer(
                new()
                {
                    ["Work:DrainSeconds"] = "4",
                    ["Fal:SubmitTimeoutSeconds"] = "4.5",
                    ["Runway:SubmitTimeoutSeconds"] = "1",
                    ["Pika:SubmitTimeoutSeconds"] = "1",
                }
            )
        );
        Assert.Contains("Work:DrainSeconds must be at least Fal:SubmitTimeoutSeconds", Assert.Single(drain.Failures), StringComparison.Ordinal);
        Assert.True(new WorkOptions().DrainSeconds >= new Reelbase.Server.Integrations.Fal.FalOptions().SubmitTimeoutSeconds);
    }

    [Fact]
    public void A_secret_that_cannot_sign_is_refused_at_start_by_its_key()
    {
        var error = Assert.Throws<OptionsValidationException>(() =>
            system.BuildServer(new() { ["urls"] = "http://127.0.0.1:0", ["Alerts:WebhookSecret"] = "not base64!" })
        );
        Assert.Contains("Alerts:WebhookSecret must be base64", Assert.Single(error.Failures), StringComparison.Ordinal);
    }
}
