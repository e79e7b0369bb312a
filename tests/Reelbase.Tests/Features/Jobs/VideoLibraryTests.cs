using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.Fal;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What a user sees of their jobs.</summary>
[Collection(SharedProduct.Name)]
public sealed class VideoLibraryTests(TestSystem system)
{
    [Fact]
    public async Task Jobs_are_listed_newest_first_and_paged_by_key_or_by_offset()
    {
        var phone = await system.NewGuestAsync(100);
        var ids = new List<string>();
        for (var press = 0; press < 5; press++)
        {
            ids.Insert(0, (await phone.GenerateAsync($"Listed {press}"))["job_id"].GetString()!);
        }
        Assert.Equal(ids, Ids(await phone.GetAsync("/get-video-jobs")));
        var page = await phone.GetAsync("/get-video-jobs?limit=2");
        Assert.Equal(ids[..2], Ids(page));
        var next = await phone.GetAsync($"/get-video-jobs?limit=2&before={page["next_before"].GetString()}");
        Assert.Equal(ids[2..4], Ids(next));
        var last = await phone.GetAsync($"/get-video-jobs?limit=2&before={next["next_before"].GetString()}");
        Assert.Equal(ids[4..], Ids(last));
        Assert.Equal(JsonValueKind.Null, last["next_before"].ValueKind);
        Assert.Equal(ids[3..], Ids(await phone.GetAsync("/get-video-jobs?limit=20&offset=3")));
    }

    [Fact]
    public async Task Jobs_are_found_by_status_and_by_a_piece_of_the_prompt()
    {
        var phone = await system.NewGuestAsync(100);
        var failed = await phone.GenerateAsync("Rainy [reject] street 100%");
        var done = await phone.GenerateAsync("Sunny street");
        await phone.WatchAsync(failed["job_id"].GetString()!);
        await phone.WatchAsync(done["job_id"].GetString()!);
        Assert.Equal([failed["job_id"].GetString()!], Ids(await phone.GetAsync("/get-video-jobs?status=failed")));
        Assert.Equal([done["job_id"].GetString()!], Ids(await phone.GetAsync("/get-video-jobs?status=completed&q=SUNNY")));
        Assert.Equal([failed["job_id"].GetString()!], Ids(await phone.GetAsync("/get-video-jobs?q=100%25")));
        Assert.Equal(HttpStatusCode.BadRequest, (await phone.GetAsync("/get-video-jobs?status=lost")).Status);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=101")]
    [InlineData("limit=-1")]
    [InlineData("limit=ten")]
    [InlineData("offset=-1")]
    [InlineData("limit=1.5")]
    public async Task Page_sizes_are_bounded(string query)
    {
        var answer = await (await system.NewGuestAsync()).GetAsync("/get-video-jobs?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("ERR_4000", answer.Code);
    }

    [Fact]
    public async Task The_live_stream_sends_each_step_and_ends()
    {
        var phone = await system.NewGuestAsync();
        await using var outage = await system.OutageAsync("fal", "down");
        const string prompt = "Streamed [slow 600]";
        var job = (await phone.GenerateAsync(prompt))["job_id"].GetString()!;
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={job}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await phone.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        await Phone.ReadUntilAsync(reader, "\"pending\"");
        await outage.EndAsync();
        await Phone.ReadUntilAsync(reader, "\"processing\"");
        // It may have been an attempt that the outage refused; it is done there only once it is there.
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"), stage => stage == "submitted");
        system.FinishAtFal(prompt);
        await Phone.ReadUntilAsync(reader, "\"completed\"");
        using var limit = Patience.Limit();
        await reader.ReadToEndAsync(limit.Token);
        var after = await phone.GetAsync($"/get-video-status?job_id={job}");
        Assert.Equal("completed", after["status"].GetString());
    }

    [Fact]
    public async Task Positions_in_the_queue_count_from_zero()
    {
        await using var narrow = new Narrow();
        await narrow.InitializeAsync();
        var phone = await narrow.NewGuestAsync(100);
        await phone.GenerateAsync("Runs [slow 600]");
        await Eventually.IsAsync(() => narrow.QueryAsync<long>("select count(*) from video_jobs where stage = 'submitted'"), running => running == 1);
        var first = (await phone.GenerateAsync("Waits first"))["job_id"];
        var second = (await phone.GenerateAsync("Waits second"))["job_id"];
        Assert.Equal(0, (await phone.GetAsync($"/get-video-status?job_id={first}"))["queue_position"].GetInt32());
        Assert.Equal(1, (await phone.GetAsync($"/get-video-status?job_id={second}"))["queue_position"].GetInt32());
        narrow.FinishAtFal("Runs [slow 600]");
        var last = (await phone.WatchAsync(second.GetString()!))[^1];
        Assert.Equal("completed", last.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, last.GetProperty("queue_position").ValueKind);
    }

    [Fact]
    public async Task A_deleted_job_loses_its_files_and_words_and_is_never_shown_again()
    {
        var phone = await system.NewGuestAsync();
        var last = await phone.GenerateAndWatchAsync("To be deleted");
        var job = last.GetProperty("job_id").GetString();
        Assert.True((await phone.PostAsync("/delete-video-job", new { job_id = job }))["success"].GetBoolean());
        Assert.Equal("ERR_4007", (await phone.GetAsync($"/get-video-status?job_id={job}")).Code);
        Assert.Empty(Ids(await phone.GetAsync("/get-video-jobs")));
        using var video = await phone.Http.GetAsync(last.GetProperty("video_url").GetString());
        Assert.Equal(HttpStatusCode.NotFound, video.StatusCode);
        Assert.Equal(["|{}|completed"], await system.RowsAsync($"select prompt, settings, status from video_jobs where job_id = '{job}'"));
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from storage_objects where job_id = '{job}'"), left => left == 0);
        Assert.Empty(Directory.EnumerateFiles(system.DataDirectory, $"{job}*", SearchOption.AllDirectories));
        Assert.Equal(2, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_job_that_was_not_yet_submitted_is_cancelled_and_refunded()
    {
        await using var narrow = new Narrow();
        await narrow.InitializeAsync();
        var phone = await narrow.NewGuestAsync(16);
        await phone.GenerateAsync("Runs [slow 600]");
        await Eventually.IsAsync(() => narrow.QueryAsync<long>("select count(*) from video_jobs where stage = 'submitted'"), running => running == 1);
        var waiting = (await phone.GenerateAsync("Waits"))["job_id"].GetString();
        await phone.PostAsync("/delete-video-job", new { job_id = waiting });
        Assert.Equal(8, await phone.CreditsAsync());
        Assert.Empty(await narrow.SubmissionsAsync("Waits"));
        await narrow.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_submitted_job_is_refunded_when_the_provider_confirms_the_cancellation()
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Cancelled there [slow 600]"))["job_id"].GetString();
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"), stage => stage == "submitted");
        await phone.PostAsync("/delete-video-job", new { job_id = job });
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 10);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_submitted_job_that_ends_all_the_same_stays_charged_and_is_not_shown()
    {
        await using var deaf = new TestSystem();
        await deaf.InitializeAsync();
        var phone = await deaf.NewGuestAsync();
        const string prompt = "Too far gone [timeout] [slow 600]";
        var job = (await phone.GenerateAsync(prompt))["job_id"].GetString();
        await Eventually.IsAsync(() => deaf.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"), stage => stage is "ambiguous");
        await phone.PostAsync("/delete-video-job", new { job_id = job });
        // Only now it is done there, and says so.
        var request = deaf.Simulators.Services.GetRequiredService<FalState>().Requests.Values.Single(request => request.Prompt == prompt);
        request.Finish();
        await deaf.Control.PostAsJsonAsync("/_control/webhooks/fal", new { request_id = request.Id, variant = "true" });
        await Eventually.IsAsync(
            () => deaf.QueryAsync<string>($"select status || prompt from video_jobs where job_id = '{job}'"),
            status => status == "completed"
        );
        Assert.Equal(2, await phone.CreditsAsync());
        Assert.Equal("ERR_4007", (await phone.GetAsync($"/get-video-status?job_id={job}")).Code);
        await deaf.AssertLedgerAsync();
    }

    [Fact]
    public async Task An_address_is_the_same_at_every_read()
    {
        var phone = await system.NewGuestAsync();
        var last = await phone.GenerateAndWatchAsync("Cached");
        var listed = (await phone.GetAsync("/get-video-jobs"))["jobs"][0];
        Assert.Equal(last.GetProperty("video_url").GetString(), listed.GetProperty("video_url").GetString());
        Assert.Equal(last.GetProperty("created_at").GetDateTime().AddDays(7), last.GetProperty("expires_at").GetDateTime());
    }

    private static List<string> Ids(ApiResponse answer) => answer["jobs"].EnumerateArray().Select(job => job.GetProperty("job_id").GetString()!).ToList();

    private sealed class Narrow : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Fal:Concurrency"] = "1" };
    }
}
