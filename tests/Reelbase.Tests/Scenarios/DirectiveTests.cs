using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>Each way in which the pretend provider can be rude, and how the job ends all the same.</summary>
public sealed class DirectiveTests(DirectiveTests.Installation system) : IClassFixture<DirectiveTests.Installation>
{
    /// <summary>Videos are read, and webhooks race with polling.</summary>
    public sealed class Installation : TestSystem
    {
        protected override bool HasMediaTools => true;

        protected override Dictionary<string, string?> Settings =>
            new() { ["Downloads:MaxBytes"] = (20 * 1024 * 1024).ToString(System.Globalization.CultureInfo.InvariantCulture) };
    }

    [Fact]
    public async Task Without_a_directive_a_real_video_is_stored_and_plays()
    {
        var (phone, last) = await EndAsync("A calm harbour");
        AssertCompleted(last);
        var url = last.GetProperty("video_url").GetString()!;
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Range = new RangeHeaderValue(0, 15) } };
        using var video = await phone.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.PartialContent, video.StatusCode);
        Assert.Equal("video/mp4", video.Content.Headers.ContentType?.ToString());
        Assert.Equal("ftyp"u8.ToArray(), (await video.Content.ReadAsByteArrayAsync())[4..8]);
        using var picture = await phone.Http.GetAsync(last.GetProperty("thumbnail_url").GetString()!);
        Assert.Equal(HttpStatusCode.OK, picture.StatusCode);
        Assert.Equal("image/jpeg", picture.Content.Headers.ContentType?.ToString());
    }

    [Fact]
    public async Task Reject_ends_failed_with_the_content_error_and_is_refunded() => AssertFailed(await EndAsync("A thing [reject]"), "ERR_5003");

    [Fact]
    public async Task Fail_ends_failed_after_acceptance_and_is_refunded() => AssertFailed(await EndAsync("A thing [fail]"), "ERR_5002");

    [Fact]
    public async Task Slow_takes_its_seconds_and_completes()
    {
        var phone = await system.NewGuestAsync();
        var accepted = await phone.GenerateAsync("A thing [slow 2]");
        var seen = await phone.WatchAsync(accepted["job_id"].GetString()!);
        AssertCompleted(seen[^1]);
        Assert.True(seen[^1].GetProperty("completed_at").GetDateTime() - seen[^1].GetProperty("created_at").GetDateTime() >= TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Timeout_completes_by_its_webhook_with_one_submission() => await CompletesOnceAsync("A thing [timeout]");

    [Fact]
    public async Task Lost_ends_failed_and_refunded_at_the_deadline_with_one_submission()
    {
        var result = await EndAsync("A thing [lost]", system.PassDeadlineAsync);
        AssertFailed(result, "ERR_5001");
        Assert.Empty(await system.SubmissionsAsync("A thing [lost]"));
        Assert.Equal(
            "1|ambiguous",
            Assert.Single(await system.RowsAsync($"select attempt, outcome from job_submissions where user_id = '{result.Phone.UserId}'"))
        );
    }

    [Fact]
    public async Task Status_429_twice_is_retried_and_completes() => await CompletesAfterRefusalsAsync("A thing [429]");

    [Fact]
    public async Task Status_500_twice_is_retried_and_completes() => await CompletesAfterRefusalsAsync("A thing [500]");

    [Fact]
    public async Task No_webhook_completes_by_polling()
    {
        await CompletesOnceAsync("A thing [no-webhook]");
        Assert.Equal(
            0,
            await system.QueryAsync<long>("select count(*) from webhook_deliveries d join video_jobs j using (job_id) where j.prompt like '%[no-webhook]'")
        );
    }

    [Fact]
    public async Task Late_webhook_completes_by_polling_and_does_no_harm_afterwards()
    {
        var result = await CompletesOnceAsync("A thing [late-webhook 2]");
        await Eventually.IsAsync(
            () =>
                system.RowsAsync(
                    $"select d.status from webhook_deliveries d join video_jobs j using (job_id) where j.job_id = '{result.Last.GetProperty("job_id")}'"
                ),
            rows => rows is ["processed"]
        );
        var after = (await result.Phone.GetAsync($"/get-video-status?job_id={result.Last.GetProperty("job_id")}")).Json;
        Assert.Equal(result.Last.GetRawText(), after.GetRawText());
        Assert.Equal(2, await result.Phone.CreditsAsync());
    }

    [Fact]
    public async Task Twice_is_stored_and_handled_once()
    {
        var result = await CompletesOnceAsync("A thing [twice]");
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from webhook_deliveries where job_id = '{result.Last.GetProperty("job_id")}'"));
        Assert.Equal(2, await system.QueryAsync<long>($"select count(*) from storage_objects where job_id = '{result.Last.GetProperty("job_id")}'"));
    }

    [Fact]
    public async Task Forged_is_refused_and_the_true_webhook_completes()
    {
        var result = await CompletesOnceAsync("A thing [forged]");
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from webhook_deliveries where job_id = '{result.Last.GetProperty("job_id")}'"));
        Assert.Equal(0, await system.QueryAsync<long>("select count(*) from webhook_deliveries where payload::text like '%forged.invalid%'"));
    }

    [Fact]
    public async Task Foreign_is_refused_and_the_true_webhook_completes()
    {
        var result = await CompletesOnceAsync("A thing [foreign]");
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from webhook_deliveries where job_id = '{result.Last.GetProperty("job_id")}'"));
    }

    [Fact]
    public async Task Garbage_is_no_video_and_is_refunded() => await FailsWithoutFilesAsync("A thing [garbage]");

    [Fact]
    public async Task Huge_is_over_the_cap_and_is_refunded() => await FailsWithoutFilesAsync("A thing [huge]");

    [Fact]
    public async Task Redirect_private_is_not_followed_and_is_refunded() => await FailsWithoutFilesAsync("A thing [redirect-private]");

    [Fact]
    public async Task The_control_call_sends_webhooks_that_are_believed_only_when_they_are_true()
    {
        var (phone, last) = await EndAsync("A thing [no-webhook] by hand");
        var request = Assert.Single(await system.SubmissionsAsync("A thing [no-webhook] by hand")).GetProperty("request_id").GetString();
        foreach (var (variant, isBelieved) in new[] { ("forged", false), ("foreign", false), ("stale", false), ("tampered", false), ("true", true) })
        {
            var sent = await ApiResponse.ReadAsync(await system.Control.PostAsJsonAsync("/_control/webhooks/fal", new { request_id = request, variant }));
            Assert.True(isBelieved == sent["accepted"].GetBoolean(), variant);
        }
        Assert.Equal(2, await phone.CreditsAsync());
        Assert.Equal("completed", (await phone.GetAsync($"/get-video-status?job_id={last.GetProperty("job_id")}"))["status"].GetString());
    }

    private async Task<(Phone Phone, JsonElement Last)> EndAsync(string prompt, Func<string, Task>? meanwhileAsync = null)
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync(prompt))["job_id"].GetString()!;
        await (meanwhileAsync?.Invoke(job) ?? Task.CompletedTask);
        var last = (await phone.WatchAsync(job))[^1];
        var isCompleted = last.GetProperty("status").GetString() == "completed";
        Assert.Equal(isCompleted ? 2 : 10, await phone.CreditsAsync());
        Assert.Equal(
            isCompleted ? ["video_generation|-8"] : ["video_generation|-8", "generation_failed_refund|8"],
            await system.RowsAsync($"select reason, change from quota_log where job_id = '{last.GetProperty("job_id")}' order by seq")
        );
        await system.AssertLedgerAsync();
        return (phone, last);
    }

    private async Task<(Phone Phone, JsonElement Last)> CompletesOnceAsync(string prompt)
    {
        var result = await EndAsync(prompt);
        AssertCompleted(result.Last);
        Assert.Single(await system.SubmissionsAsync(prompt));
        return result;
    }

    private async Task CompletesAfterRefusalsAsync(string prompt)
    {
        var (phone, _) = await CompletesOnceAsync(prompt);
        Assert.Equal(
            ["1|refused", "2|refused", "3|succeeded"],
            await system.RowsAsync($"select attempt, outcome from job_submissions where user_id = '{phone.UserId}' order by attempt")
        );
    }

    private async Task FailsWithoutFilesAsync(string prompt)
    {
        var result = await EndAsync(prompt);
        AssertFailed(result, "ERR_5002");
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from storage_objects where user_id = '{result.Phone.UserId}'"),
            count => count == 0
        );
        Assert.Empty(
            Directory.Exists(system.DataDirectory)
                ? Directory.EnumerateFiles(system.DataDirectory, $"{result.Last.GetProperty("job_id")}*", SearchOption.AllDirectories)
                : []
        );
    }

    private static void AssertCompleted(JsonElement last)
    {
        Assert.True(last.GetProperty("status").GetString() == "completed", last.GetRawText());
        Assert.Equal(JsonValueKind.Null, last.GetProperty("error_code").ValueKind);
    }

    private static void AssertFailed((Phone Phone, JsonElement Last) result, string code)
    {
        Assert.True(result.Last.GetProperty("status").GetString() == "failed", result.Last.GetRawText());
        Assert.Equal(code, result.Last.GetProperty("error_code").GetString());
        Assert.NotEmpty(result.Last.GetProperty("error_message").GetString()!);
        Assert.Equal(JsonValueKind.Null, result.Last.GetProperty("video_url").ValueKind);
    }
}
