using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Channels of <c>/realtime/v1/websocket</c>: who hears of what, from when on, and until when.</summary>
public sealed class RealtimeTests(RealtimeTests.Installation system) : IClassFixture<RealtimeTests.Installation>
{
    private string AnonKey => system.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();

    [Theory]
    [InlineData("1.0.0")]
    [InlineData("2.0.0")]
    public async Task A_channel_has_its_own_jobs_with_model_name_and_links_and_never_anothers(string version)
    {
        var phone = await system.NewGuestAsync(100);
        var other = await system.NewGuestAsync(100);
        using var mine = await ChannelClient.OpenAsync(system.Url, AnonKey, version);
        using var theirs = await ChannelClient.OpenAsync(system.Url, AnonKey, version);
        var reply = await mine.JoinedAsync(
            "realtime:mine",
            phone.AccessToken,
            ChannelClient.Changes("video_jobs"),
            ChannelClient.Changes("users", "UPDATE"),
            ChannelClient.Changes("video_jobs", "UPDATE", "status=eq.completed")
        );
        var entries = reply.Payload.GetProperty("response").GetProperty("postgres_changes");
        Assert.Equal(3, entries.GetArrayLength());
        Assert.Equal("status=eq.completed", entries[2].GetProperty("filter").GetString());
        Assert.Equal(3, entries.EnumerateArray().Select(entry => entry.GetProperty("id").GetInt64()).Where(id => id != 0).Distinct().Count());
        await theirs.JoinedAsync("realtime:theirs", other.AccessToken, ChannelClient.Changes("video_jobs"), ChannelClient.Changes("users"));

        // The job is not handed over before it was seen waiting: a first poll that came late would be the only one.
        await PauseAsync("infinity");
        var job = (await phone.GenerateAsync("Watched over a channel"))["job_id"].GetString()!;
        var inserted = await mine.ChangeAsync(data => data.GetProperty("table").GetString() == "video_jobs");
        var data = inserted.Payload.GetProperty("data");
        Assert.Equal("INSERT", data.GetProperty("type").GetString());
        Assert.Equal(job, data.GetProperty("record").GetProperty("job_id").GetString());
        Assert.False(string.IsNullOrEmpty(data.GetProperty("record").GetProperty("model_name").GetString()));
        Assert.Contains(data.GetProperty("columns").EnumerateArray(), column => column.GetProperty("name").GetString() == "model_name");
        Assert.Equal(JsonValueKind.Null, data.GetProperty("errors").ValueKind);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", data.GetProperty("commit_timestamp").GetString());
        Assert.Equal([entries[0].GetProperty("id").GetInt64()], inserted.Payload.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64()));

        await PauseAsync("-infinity");
        var done = await mine.ChangeAsync(each =>
            each.GetProperty("table").GetString() == "video_jobs" && each.GetProperty("record").GetProperty("status").GetString() == "completed"
        );
        Assert.Equal(
            [entries[0].GetProperty("id").GetInt64(), entries[2].GetProperty("id").GetInt64()],
            done.Payload.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64())
        );
        var link = done.Payload.GetProperty("data").GetProperty("record").GetProperty("video_url").GetString()!;
        Assert.Equal((await phone.GetAsync($"/get-video-status?job_id={job}"))["video_url"].GetString(), link);
        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(link)).StatusCode);

        // Whatever was sent to them came before their own job.
        var othersJob = (await other.GenerateAsync("Somebody else's"))["job_id"].GetString()!;
        var first = await theirs.ChangeAsync(each => each.GetProperty("table").GetString() == "video_jobs");
        Assert.Equal(othersJob, first.Payload.GetProperty("data").GetProperty("record").GetProperty("job_id").GetString());

        await phone.PostAsync("/delete-video-job", new { job_id = job });
        var gone = await mine.ChangeAsync(each => each.GetProperty("type").GetString() == "DELETE");
        Assert.Equal(job, gone.Payload.GetProperty("data").GetProperty("old_record").GetProperty("job_id").GetString());
    }

    [Fact]
    public async Task Only_the_key_joins_and_hears_nothing_and_a_token_that_comes_later_opens_the_channel()
    {
        var phone = await system.NewGuestAsync(100);
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        await client.JoinedAsync("realtime:all", null, ChannelClient.Changes("*"), ChannelClient.Changes("video_jobs"));
        await client.UntilAsync(message => message.Event == "system");
        var unseen = (await phone.GenerateAsync("Nobody hears of it"))["job_id"].GetString()!;
        await Eventually.IsAsync(
            async () => (await phone.GetAsync($"/get-video-status?job_id={unseen}"))["status"].GetString(),
            status => status == "completed"
        );
        await client.SendAsync("realtime:all", "access_token", new { access_token = (string?)null });
        await client.SendAsync("realtime:all", "access_token", new { access_token = phone.AccessToken });
        // The only message after the first is that the changes are listened for now.
        var live = (await client.NextAsync())!;
        Assert.Equal("system", live.Event);
        Assert.Equal("ok", live.Status);
        var seen = (await phone.GenerateAsync("Heard of"))["job_id"].GetString()!;
        // Whatever still changes of the finished one is no new job.
        var change = await client.ChangeAsync(data =>
            data.GetProperty("table").GetString() == "video_jobs" && data.GetProperty("type").GetString() == "INSERT"
        );
        Assert.Equal(seen, change.Payload.GetProperty("data").GetProperty("record").GetProperty("job_id").GetString());
        // Signing out hands the key in.
        await client.SendAsync("realtime:all", "access_token", new { access_token = AnonKey });
        await client.UntilAsync(message => message.Event == "system");
        Assert.Equal("ok", (await client.ReplyAsync(await client.SendAsync("phoenix", "heartbeat", new { }))).Status);
    }

    [Fact]
    public async Task A_job_of_another_is_not_heard_of_by_its_id()
    {
        var phone = await system.NewGuestAsync(100);
        var other = await system.NewGuestAsync(100);
        var job = (await phone.GenerateAsync("Watched by its id [slow 600]"))["job_id"].GetString()!;
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        await client.JoinedAsync(
            "realtime:spy",
            other.AccessToken,
            ChannelClient.Changes("video_jobs", "*", $"job_id=eq.{job}"),
            ChannelClient.Changes("video_jobs")
        );
        await system.ExecuteAsync($"update video_jobs set prompt = 'changed' where job_id = '{job}'");
        using var owner = await ChannelClient.OpenAsync(system.Url, AnonKey);
        await owner.JoinedAsync("realtime:owner", phone.AccessToken, ChannelClient.Changes("video_jobs", "UPDATE", $"job_id=eq.{job.ToUpperInvariant()}"));
        await system.ExecuteAsync($"update video_jobs set prompt = 'changed again' where job_id = '{job}'");
        await owner.ChangeAsync(data => data.GetProperty("record").GetProperty("prompt").GetString() == "changed again");
        var own = (await other.GenerateAsync("The spy's own"))["job_id"].GetString()!;
        var first = await client.ChangeAsync();
        Assert.Equal(own, first.Payload.GetProperty("data").GetProperty("record").GetProperty("job_id").GetString());
    }

    [Fact]
    public async Task A_join_is_answered_only_once_this_node_hears_what_other_nodes_change()
    {
        var feed = system.Server.Services.GetRequiredService<ChangeFeed>();
        await Eventually.IsAsync(() => Task.FromResult(feed.IsListening), listens => listens);
        var phone = await system.NewGuestAsync(100);
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        // As often as it takes to see it: two seconds later it listens again.
        await Eventually.IsAsync(
            async () =>
            {
                await system.ExecuteAsync(
                    $"select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = '{ChangeFeed.ListenerName}'"
                );
                return feed.IsListening;
            },
            listens => !listens
        );
        while (true)
        {
            var reply = await client.ReplyAsync(await client.JoinAsync("realtime:early", phone.AccessToken, ChannelClient.Changes("video_jobs")));
            if (reply.Status == "ok")
            {
                break;
            }
            // As clients do after a refusal: nothing can be listened for yet.
            Assert.Equal("Changes cannot be listened for at the moment", reply.Reason);
        }
        Assert.True(feed.IsListening);
        var job = (await phone.GenerateAsync("Heard at once"))["job_id"].GetString()!;
        var first = await client.ChangeAsync();
        Assert.Equal(job, first.Payload.GetProperty("data").GetProperty("record").GetProperty("job_id").GetString());
    }

    [Theory]
    [InlineData("update users set banned_at = now() where id = '{0}'", "This account is closed")]
    [InlineData("update sessions set revoked_at = now() where user_id = '{0}'", "The session has ended")]
    public async Task A_ban_and_an_ended_session_close_the_channel(string sql, string why)
    {
        var phone = await system.NewGuestAsync(100);
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        await client.JoinedAsync("realtime:mine", phone.AccessToken, ChannelClient.Changes("video_jobs"));
        await system.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, phone.UserId));
        var said = await client.UntilAsync(message => message.Event == "system" && message.Status == "error");
        Assert.Equal(why, said.Payload.GetProperty("message").GetString());
        await client.UntilAsync(message => message.Event == "phx_close" && message.Topic == "realtime:mine");
        var again = await client.ReplyAsync(await client.JoinAsync("realtime:mine", phone.AccessToken, ChannelClient.Changes("video_jobs")));
        Assert.Equal((("error", why)), (again.Status, again.Reason));
    }

    [Fact]
    public async Task A_token_that_ends_without_a_newer_one_closes_its_channel_and_a_newer_one_keeps_it()
    {
        var clock = new MovedClock();
        await using var node = system.BuildServer(clock: clock);
        await node.StartAsync();
        var phone = await system.NewGuestAsync(100);
        using var client = await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey);
        await client.JoinedAsync("realtime:ends", phone.AccessToken, ChannelClient.Changes("video_jobs"));
        await client.JoinedAsync("realtime:kept", phone.AccessToken, ChannelClient.Changes("video_jobs"));
        var tokens = node.Services.GetRequiredService<AccessTokens>();
        var session = (await tokens.ReadAsync(phone.AccessToken))!.SessionId!.Value;
        clock.Ahead = TimeSpan.FromMinutes(50);
        var (newer, _) = tokens.Create(new(phone.UserId, session, "anonymous", true, null));
        await client.SendAsync("realtime:kept", "access_token", new { access_token = newer });
        await client.ReplyAsync(await client.SendAsync("phoenix", "heartbeat", new { }));
        clock.Ahead = TimeSpan.FromMinutes(61);
        var said = await client.UntilAsync(message => message.Event == "system" && message.Status == "error");
        Assert.Equal(("realtime:ends", "Token has expired"), (said.Topic, said.Payload.GetProperty("message").GetString()));
        Assert.Equal("realtime:ends", (await client.UntilAsync(message => message.Event == "phx_close")).Topic);
        // Made at the other node, and heard of here.
        var job = (await phone.GenerateAsync("Seen with the newer token"))["job_id"].GetString()!;
        var change = await client.ChangeAsync();
        Assert.Equal(("realtime:kept", job), (change.Topic, change.Payload.GetProperty("data").GetProperty("record").GetProperty("job_id").GetString()));
        Assert.Equal("Token has expired", (await client.ReplyAsync(await client.JoinAsync("realtime:ends", phone.AccessToken))).Reason);
        await node.StopAsync();
    }

    [Fact]
    public async Task Phx_leave_frees_the_topic_and_a_second_join_takes_the_first_ones_place_silently()
    {
        var phone = await system.NewGuestAsync(100);
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        await client.JoinedAsync("realtime:twice", phone.AccessToken, ChannelClient.Changes("video_jobs"));
        await client.UntilAsync(message => message.Event == "system");
        var second = await client.JoinAsync("realtime:twice", phone.AccessToken, ChannelClient.Changes("users"));
        var next = (await client.NextAsync())!;
        Assert.Equal(("phx_reply", second, second, "ok"), (next.Event, next.Ref, next.JoinRef, next.Status));
        await client.UntilAsync(message => message.Event == "system");
        var leave = await client.SendAsync("realtime:twice", "phx_leave", new { });
        Assert.Equal(("phx_reply", leave, "ok"), await client.NextAsync() is { } reply ? (reply.Event, reply.Ref, reply.Status) : default);
        Assert.Equal("phx_close", (await client.NextAsync())!.Event);
        Assert.Equal(
            "unmatched topic",
            (await client.ReplyAsync(await client.SendAsync("realtime:twice", "access_token", new { access_token = phone.AccessToken }))).Reason
        );
    }

    [Theory]
    [InlineData("", HttpStatusCode.Unauthorized, "No API key found in request")]
    [InlineData("?apikey=nonsense", HttpStatusCode.Unauthorized, "Invalid API key")]
    [InlineData("?apikey=ANON&vsn=3.0.0", HttpStatusCode.BadRequest, "vsn is 1.0.0 or 2.0.0")]
    [InlineData("?apikey=ANON", HttpStatusCode.UpgradeRequired, "This address takes websockets only")]
    public async Task A_handshake_that_is_none_is_refused_in_the_services_own_shape(string query, HttpStatusCode status, string error)
    {
        using var http = system.Anybody();
        var answer = await ApiResponse.ReadAsync(await http.GetAsync("/realtime/v1/websocket" + query.Replace("ANON", AnonKey, StringComparison.Ordinal)));
        Assert.Equal(status, answer.Status);
        Assert.Equal(error, answer["error"].GetString());
        Assert.Single(answer.Json.EnumerateObject());
    }

    [Fact]
    public async Task Streams_and_sockets_share_the_places_of_a_user_and_an_address()
    {
        var phone = await system.NewGuestAsync(100);
        var sockets = new List<ChannelClient>();
        for (var number = 0; number < 12; number++)
        {
            sockets.Add(await ChannelClient.OpenAsync(system.Url, AnonKey));
            await sockets[^1].JoinedAsync("realtime:a", phone.AccessToken, ChannelClient.Changes("video_jobs"));
            // A second channel of the same socket takes no second place.
            await sockets[^1].JoinedAsync("realtime:b", phone.AccessToken, ChannelClient.Changes("users"));
        }
        var job = (await phone.GenerateAsync("No stream beside so many sockets [slow 600]"))["job_id"].GetString()!;
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={job}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await phone.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)).StatusCode);
        using var late = await ChannelClient.OpenAsync(system.Url, AnonKey);
        var refused = await late.ReplyAsync(await late.JoinAsync("realtime:a", phone.AccessToken, ChannelClient.Changes("video_jobs")));
        Assert.Equal("Too many connections of this user", refused.Reason);
        sockets[0].Dispose();
        await Eventually.IsAsync(
            async () => (await late.ReplyAsync(await late.JoinAsync("realtime:a", phone.AccessToken, ChannelClient.Changes("video_jobs")))).Status,
            status => status == "ok"
        );
        sockets.ForEach(socket => socket.Dispose());
        late.Dispose();
    }

    [Fact]
    public async Task A_stopping_server_says_good_bye()
    {
        await using var node = system.BuildServer();
        await node.StartAsync();
        using var client = await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey);
        Assert.Equal("ok", (await client.ReplyAsync(await client.SendAsync("phoenix", "heartbeat", new { }))).Status);
        var closed = client.ClosedAsync();
        await node.StopAsync();
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, await closed);
    }

    [Fact]
    public async Task A_socket_opens_over_HTTP_2_too()
    {
        await using var node = system.BuildServer(
            new() { ["Kestrel:Endpoints:Second:Url"] = TestSystem.AnyPort, ["Kestrel:Endpoints:Second:Protocols"] = "Http2" }
        );
        await node.StartAsync();
        var phone = await system.NewGuestAsync(100);
        using var client = await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey, isHttp2: true);
        await client.JoinedAsync("realtime:mine", phone.AccessToken, ChannelClient.Changes("users"));
        await system.ExecuteAsync($"update users set theme_preference = 'dark' where id = '{phone.UserId}'");
        var change = await client.ChangeAsync();
        Assert.Equal("dark", change.Payload.GetProperty("data").GetProperty("record").GetProperty("theme_preference").GetString());
        await node.StopAsync();
    }

    private Task PauseAsync(string until) =>
        system.ExecuteAsync(
            $"insert into provider_states (provider, paused_until) values ('fal', '{until}') on conflict (provider) do update set paused_until = excluded.paused_until"
        );

    private sealed class MovedClock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }

    public sealed class Installation : TestSystem;
}
