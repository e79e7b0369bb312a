using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Jobs.Live;
using Reelbase.Server.Features.Jobs.VideoLibrary;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Event streams on the hub: one reading for all watchers, what phones need of the first bytes, and who may go on watching.</summary>
public sealed class LiveStreamTests(LiveStreamTests.Installation system) : IClassFixture<LiveStreamTests.Installation>
{
    [Fact]
    public async Task The_first_bytes_are_enough_for_a_phone_and_proxies_hold_nothing_back()
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("First bytes [slow 600]"))["job_id"].GetString()!;
        using var response = await WatchAsync(phone, job);
        Assert.Equal("no", Assert.Single(response.Headers.GetValues("X-Accel-Buffering")));
        Assert.True(response.Headers.CacheControl!.NoTransform && response.Headers.CacheControl.NoStore);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var comment = (await reader.ReadLineAsync())!;
        Assert.True(comment[0] == ':' && comment.Length > 512);
        Assert.StartsWith("retry: ", await reader.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal("", await reader.ReadLineAsync());
        Assert.StartsWith("id: ", await reader.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal("event: status", await reader.ReadLineAsync());
    }

    [Fact]
    public async Task Whoever_has_the_final_event_gets_204_and_anybody_else_gets_it_first()
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAndWatchAsync("Seen to the end")).GetProperty("job_id").GetString()!;
        using var again = await WatchAsync(phone, job, "something-earlier");
        var text = await again.Content.ReadAsStringAsync();
        var id = text.Split('\n').Single(line => line.StartsWith("id: ", StringComparison.Ordinal))[4..];
        Assert.Contains("\"completed\"", text, StringComparison.Ordinal);
        using var seen = await WatchAsync(phone, job, id);
        Assert.Equal(HttpStatusCode.NoContent, seen.StatusCode);
    }

    [Fact]
    public async Task A_change_is_read_once_for_all_who_watch_the_job()
    {
        var hub = system.Server.Services.GetRequiredService<LiveHub>();
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Watched by twelve [slow 600]"))["job_id"].GetString()!;
        var streams = new List<StreamReader>();
        for (var number = 0; number < 12; number++)
        {
            streams.Add(new(await (await WatchAsync(phone, job)).Content.ReadAsStreamAsync()));
        }
        foreach (var stream in streams)
        {
            await Phone.ReadUntilAsync(stream, "\"processing\"");
        }
        var before = hub.RowsRead;
        // Nobody notifies of this: comparing versions finds it.
        await system.ExecuteAsync($"update video_jobs set prompt = 'Changed behind the back' where job_id = '{job}'");
        foreach (var stream in streams)
        {
            await Phone.ReadUntilAsync(stream, "Changed behind the back");
        }
        // Nothing else changes the row meanwhile; twelve readings for one change would be far more.
        Assert.InRange(hub.RowsRead - before, 1, 11);
        streams.ForEach(stream => stream.Dispose());
        await Eventually.IsAsync(() => Task.FromResult(hub.Watchers), watchers => watchers == 0);
    }

    [Fact]
    public async Task Statuses_of_many_watchers_are_read_together_and_of_nobody_one_by_one()
    {
        var streams = new List<StreamReader>();
        var jobs = new List<string>();
        for (var number = 0; number < 3; number++)
        {
            var phone = await system.NewGuestAsync();
            jobs.Add((await phone.GenerateAsync("One of many [slow 600]"))["job_id"].GetString()!);
            streams.Add(new(await (await WatchAsync(phone, jobs[^1])).Content.ReadAsStreamAsync()));
            await Phone.ReadUntilAsync(streams[^1], "\"processing\"");
        }
        // From here on whoever is read one by one, as the user, gets what is not so.
        var before = await system.QueryAsync<string>("select pg_get_functiondef('get_video_status(uuid)'::regprocedure)");
        await using var mark = new Planted(() => system.ExecuteAsync(before));
        await system.ExecuteAsync(before.Replace("j.prompt", "'Read one by one'::text", StringComparison.Ordinal));
        await system.ExecuteAsync(
            $"update video_jobs set prompt = 'Changed behind the back' where job_id in ({string.Join(',', jobs.Select(job => $"'{job}'"))})"
        );
        foreach (var stream in streams)
        {
            using var limit = Patience.Limit();
            string? line;
            do
            {
                line = await stream.ReadLineAsync(limit.Token);
                Assert.NotNull(line);
                Assert.DoesNotContain("Read one by one", line, StringComparison.Ordinal);
            } while (!line.Contains("Changed behind the back", StringComparison.Ordinal));
            stream.Dispose();
        }
    }

    [Fact]
    public async Task A_stream_ends_when_its_job_is_deleted_though_nobody_notifies()
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Deleted while it is watched [slow 600]"))["job_id"].GetString()!;
        using var reader = new StreamReader(await (await WatchAsync(phone, job)).Content.ReadAsStreamAsync());
        await Phone.ReadUntilAsync(reader, "\"processing\"");
        await system.ExecuteAsync($"update video_jobs set deleted_at = now() where job_id = '{job}'");
        using var limit = Patience.Limit();
        while (await reader.ReadLineAsync(limit.Token) is not null) { }
    }

    [Fact]
    public async Task A_stream_of_which_nothing_is_new_gets_heartbeats_and_is_forgotten_with_its_end()
    {
        var pulse = system.Server.Services.GetRequiredService<StreamHeartbeat>();
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Heard of now and then [slow 600]"))["job_id"].GetString()!;
        using (var reader = new StreamReader(await (await WatchAsync(phone, job)).Content.ReadAsStreamAsync()))
        {
            await Phone.ReadUntilAsync(reader, "\"processing\"");
            for (var second = 0; second < StreamHeartbeat.Seconds; second++)
            {
                pulse.SendNext();
            }
            await Phone.ReadUntilAsync(reader, ": still here");
        }
        await Eventually.IsAsync(() => Task.FromResult(pulse.Known), known => known == 0);
    }

    [Theory]
    [InlineData("update users set banned_at = now() where id = '{0}'")]
    [InlineData("update sessions set revoked_at = now() where user_id = '{0}'")]
    public async Task A_ban_and_an_ended_session_end_the_stream_though_nobody_notifies(string sql)
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Ends with its session [slow 600]"))["job_id"].GetString()!;
        using var response = await WatchAsync(phone, job);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        await Phone.ReadUntilAsync(reader, "event: status");
        await system.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, phone.UserId));
        using var limit = new CancellationTokenSource(Patience.Span);
        while (await reader.ReadLineAsync(limit.Token) is not null) { }
    }

    [Fact]
    public async Task What_is_read_for_watchers_has_the_columns_that_users_are_granted()
    {
        var phone = await system.NewGuestAsync();
        await phone.GenerateAsync("All its columns [slow 600]");
        var claims = $$$"""{"sub":"{{{phone.UserId}}}","role":"authenticated","unverified":true}""".Replace("\"", "\\\"", StringComparison.Ordinal);
        var asks = $$"""[{"number":0,"user":"{{phone.UserId}}","claims":"{{claims}}","sessions":[],"jobs":[],"statuses":[],"newest":5,"profile":true}]""";
        foreach (var (kind, table) in new[] { ("job", "video_jobs"), ("user", "users") })
        {
            Assert.Equal(
                await system.RowsAsync($"select column_name from list_live_columns() where table_name = '{table}' order by 1"),
                await system.RowsAsync($"select k from read_live('{asks}') r, jsonb_object_keys(r.record) k where r.kind = '{kind}' order by 1")
            );
        }
    }

    private static async Task<HttpResponseMessage> WatchAsync(Phone phone, string job, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={job}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }
        return await phone.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Providers are asked so seldom that no row changes by it while a test counts.</summary>
    public sealed class Installation : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new() { ["Generation:PollWithWebhookSeconds"] = "300", ["Generation:MaxPollSeconds"] = "300" };
    }
}
