using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Supabase.Realtime;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What no client of good will sends to <c>/realtime/v1/websocket</c>: each has an answer, and the node serves the others on.</summary>
public sealed class RealtimeHostileTests(RealtimeHostileTests.Installation system) : IClassFixture<RealtimeHostileTests.Installation>
{
    private const int MessageBytes = 8192;

    private string AnonKey => system.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();

    [Theory]
    [InlineData("2.0.0", "no json", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", "", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", "{}", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", "[1,2,3]", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", """[null,null,7,"phx_join",{}]""", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", """[null,null,"a","b",[]]""", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", """[{},null,"a","b",{}]""", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", """["1","1","realtime:x","phx_join",{"config":1,"config":2}]""", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("1.0.0", "[null,null,\"phoenix\",\"heartbeat\",{}]", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("1.0.0", """{"event":"heartbeat","payload":{}}""", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", "DEEP", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("2.0.0", "BIG", WebSocketCloseStatus.MessageTooBig)]
    [InlineData("1.0.0", "BIG", WebSocketCloseStatus.MessageTooBig)]
    public async Task A_message_that_is_none_closes_its_socket(string version, string text, WebSocketCloseStatus status)
    {
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey, version);
        await client.SendTextAsync(
            text switch
            {
                "DEEP" => $"""["1","1","realtime:x","phx_join",{string.Concat(Enumerable.Repeat("""{"a":""", 1000))}1{new string('}', 1000)}]""",
                "BIG" => $"""["1","1","realtime:x","phx_join",{JsonSerializer.Serialize(new { a = new string('x', MessageBytes) })}]""",
                _ => text,
            }
        );
        Assert.Equal(status, await client.ClosedAsync());
        await AssertServesAsync();
    }

    [Theory]
    [InlineData("1.0.0", "03010101010000")]
    [InlineData("2.0.0", "00")]
    [InlineData("2.0.0", "03FFFFFFFFFF00")]
    [InlineData("2.0.0", "04000000000000")]
    public async Task A_binary_message_that_is_no_broadcast_closes_its_socket(string version, string hex)
    {
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey, version);
        await client.SendRawAsync(Convert.FromHexString(hex), isBinary: true);
        Assert.Equal(WebSocketCloseStatus.InvalidMessageType, await client.ClosedAsync());
        await AssertServesAsync();
    }

    [Fact]
    public async Task A_broadcast_and_a_presence_are_refused_and_the_channel_goes_on()
    {
        var phone = await system.NewGuestAsync();
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        await client.JoinedAsync("realtime:x", phone.AccessToken);
        // Kind 3, lengths of join_ref, ref, topic, event and metadata, encoding 1.
        await client.SendRawAsync([3, 1, 1, 10, 1, 0, 1, .. Encoding.UTF8.GetBytes("17realtime:xm{}")], isBinary: true);
        Assert.Equal("broadcast is not offered", (await client.ReplyAsync("7")).Reason);
        Assert.Equal("presence is not offered", (await client.ReplyAsync(await client.SendAsync("realtime:x", "presence", new { @event = "track" }))).Reason);
        Assert.Equal("unknown event", (await client.ReplyAsync(await client.SendAsync("realtime:x", "shutdown", new { }))).Reason);
        Assert.Equal("ok", (await client.ReplyAsync(await client.SendAsync("realtime:x", "phx_leave", new { }))).Status);
    }

    [Theory]
    [InlineData("realtime:", """{}""", "unmatched topic")]
    [InlineData("chat:lobby", """{}""", "unmatched topic")]
    [InlineData("phoenix", """{}""", "unmatched topic")]
    [InlineData("realtime:x", """{"access_token":"h.p.s"}""", "Token is invalid")]
    [InlineData("realtime:x", """{"config":{"postgres_changes":"all"}}""", "postgres_changes is a list of at most 20")]
    [InlineData("realtime:x", """{"config":{"postgres_changes":[1]}}""", "postgres_changes is a list of objects")]
    [InlineData(
        "realtime:x",
        """{"config":{"postgres_changes":[{"event":"TRUNCATE","schema":"public"}]}}""",
        "There is no event TRUNCATE: INSERT, UPDATE, DELETE or *"
    )]
    [InlineData(
        "realtime:x",
        """{"config":{"postgres_changes":[{"event":"*","schema":"public","table":"sessions"}]}}""",
        "Changes of public.sessions are not offered: public.video_jobs and public.users are"
    )]
    [InlineData(
        "realtime:x",
        """{"config":{"postgres_changes":[{"event":"*","schema":"auth","table":"users"}]}}""",
        "Changes of auth.users are not offered: public.video_jobs and public.users are"
    )]
    [InlineData(
        "realtime:x",
        """{"config":{"postgres_changes":[{"event":"*","schema":"public","table":"video_jobs","filter":"leased_by=eq.x"}]}}""",
        "There is no column leased_by to filter by"
    )]
    [InlineData(
        "realtime:x",
        """{"config":{"postgres_changes":[{"event":"*","schema":"public","table":"video_jobs","filter":"video_url=eq.x"}]}}""",
        "video_url cannot be filtered by"
    )]
    [InlineData(
        "realtime:x",
        """{"config":{"postgres_changes":[{"event":"*","schema":"public","table":"video_jobs","filter":"job_id=eq.x"}]}}""",
        "job_id is of type uuid, which x is not"
    )]
    [InlineData(
        "realtime:x",
        """{"config":{"postgres_changes":[{"event":"*","schema":"public","table":"video_jobs","filter":"prompt=match.(a+)+"}]}}""",
        "match.(a+)+ is no condition that is offered for prompt"
    )]
    [InlineData("realtime:x", "LIKE", "A pattern of like has at most 256 characters")]
    [InlineData("realtime:x", "ILIKE", "A pattern of ilike has at most 256 characters")]
    [InlineData(
        "realtime:x",
        """{"config":{"postgres_changes":[{"event":"*","schema":"public","table":"video_jobs","select":["leased_by"]}]}}""",
        "There is no column leased_by to read"
    )]
    public async Task A_join_for_what_is_not_offered_is_refused_with_its_reason(string topic, string payload, string reason)
    {
        if (payload is "LIKE" or "ILIKE")
        {
            var filter = $"prompt={payload.ToLowerInvariant()}.{string.Concat(Enumerable.Repeat("%a", 128))}%";
            payload = "{\"config\":{\"postgres_changes\":[{\"event\":\"*\",\"schema\":\"public\",\"table\":\"video_jobs\",\"filter\":\"" + filter + "\"}]}}";
        }
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        await client.SendTextAsync($"""["1","1","{topic}","phx_join",{payload}]""");
        var reply = await client.ReplyAsync("1");
        Assert.Equal(("error", reason), (reply.Status, reply.Reason));
        Assert.Equal("ok", (await client.ReplyAsync(await client.SendAsync("phoenix", "heartbeat", new { }))).Status);
    }

    [Fact]
    public async Task Channels_their_weight_and_joins_are_bounded_by_socket()
    {
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        for (var number = 0; number < 5; number++)
        {
            await client.JoinedAsync($"realtime:{number}", null, ChannelClient.Changes("video_jobs"));
        }
        Assert.Equal("A socket has at most 5 channels", (await client.ReplyAsync(await client.JoinAsync("realtime:one-more", null))).Reason);
        // A join in place of another is no further channel.
        await client.JoinedAsync("realtime:3", null);
        await client.ReplyAsync(await client.SendAsync("realtime:4", "phx_leave", new { }));
        var list = string.Join(',', Enumerable.Range(0, 90).Select(_ => Guid.NewGuid()));
        var heavy = ChannelClient.Changes("video_jobs", "*", $"job_id=in.({list})");
        Assert.Equal(
            "The channels of this socket ask for too much together",
            (await client.ReplyAsync(await client.JoinAsync("realtime:heavy", null, heavy))).Reason
        );
        var reasons = new HashSet<string?>();
        for (var number = 0; number < 200; number++)
        {
            reasons.Add((await client.ReplyAsync(await client.JoinAsync("realtime:0", null))).Reason);
        }
        Assert.Contains("Too many joins", reasons);
        Assert.Equal("ok", (await client.ReplyAsync(await client.SendAsync("phoenix", "heartbeat", new { }))).Status);
    }

    [Fact]
    public async Task A_flood_of_messages_closes_its_socket()
    {
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        var heartbeat = Encoding.UTF8.GetBytes("""[null,"1","phoenix","heartbeat",{}]""");
        try
        {
            while (true)
            {
                await client.SendRawAsync(heartbeat);
                if (client.CloseStatus is not null)
                {
                    break;
                }
                _ = (await client.NextAsync()) ?? throw new WebSocketException();
            }
        }
        catch (WebSocketException)
        {
            // Closed while sending.
        }
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, client.CloseStatus);
        await AssertServesAsync();
    }

    [Fact]
    public async Task A_client_that_is_silent_and_one_that_never_ends_its_message_are_closed()
    {
        var clock = new ForwardClock();
        await using var node = system.BuildServer(new() { ["Realtime:WithoutUserSeconds"] = "7200", ["Realtime:IdleSeconds"] = "1800" }, clock: clock);
        await node.StartAsync();
        using var silent = await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey);
        using var halting = await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey);
        foreach (var client in (ChannelClient[])[silent, halting])
        {
            Assert.Equal("ok", (await client.ReplyAsync(await client.SendAsync("phoenix", "heartbeat", new { }))).Status);
        }
        await halting.SendRawAsync("[null,"u8.ToArray(), isEnd: false);
        clock.Ahead = TimeSpan.FromSeconds(1801);
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await silent.ClosedAsync());
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await halting.ClosedAsync());
        // Whoever does not answer the good-bye is dropped.
        clock.Ahead *= 2;
        var there = node.Services.GetRequiredService<RealtimeSockets>();
        await Eventually.IsAsync(() => Task.FromResult(there.Count), count => count == 0);
        await node.StopAsync();
    }

    [Fact]
    public async Task A_socket_without_a_channel_of_a_user_gives_its_place_back_whatever_else_it_says()
    {
        var clock = new ForwardClock();
        await using var node = system.BuildServer(new() { ["Realtime:WithoutUserSeconds"] = "1800", ["Realtime:IdleSeconds"] = "3600" }, clock: clock);
        await node.StartAsync();
        var phone = await system.NewGuestAsync();
        using var mine = await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey);
        await mine.JoinedAsync("realtime:mine", phone.AccessToken, ChannelClient.Changes("video_jobs"));
        using var bare = await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey);
        Assert.Equal("ok", (await bare.ReplyAsync(await bare.SendAsync("phoenix", "heartbeat", new { }))).Status);
        using var signedOut = await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey);
        await signedOut.JoinedAsync("realtime:hears-nothing", null, ChannelClient.Changes("video_jobs"));
        clock.Ahead = TimeSpan.FromSeconds(1801);
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await bare.ClosedAsync());
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await signedOut.ClosedAsync());
        Assert.Equal("ok", (await mine.ReplyAsync(await mine.SendAsync("phoenix", "heartbeat", new { }))).Status);
        // The time begins when its last channel of a user has gone.
        await mine.ReplyAsync(await mine.SendAsync("realtime:mine", "phx_leave", new { }));
        Assert.Equal("ok", (await mine.ReplyAsync(await mine.SendAsync("phoenix", "heartbeat", new { }))).Status);
        clock.Ahead *= 2;
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await mine.ClosedAsync());
        await node.StopAsync();
    }

    [Fact]
    public async Task A_reader_that_does_not_read_is_dropped_and_nobody_waits_for_it()
    {
        var dropped = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var never = new NeverRead();
        var outbox = new RealtimeOutbox(never, 1000, reason => dropped.TrySetResult(reason));
        for (var number = 0; number < 11; number++)
        {
            outbox.Send(new byte[100]);
        }
        Assert.Equal("slow_reader", await dropped.Task);
        await outbox.Done;
    }

    [Fact]
    public async Task Sockets_of_a_node_and_of_an_address_are_bounded()
    {
        await using var node = system.BuildServer(new() { ["Realtime:SocketsPerNode"] = "2" });
        await node.StartAsync();
        using (await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey))
        using (await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey))
        {
            await Assert.ThrowsAsync<WebSocketException>(() => ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey));
        }
        await Eventually.IsAsync(
            async () =>
            {
                try
                {
                    (await ChannelClient.OpenAsync(TestSystem.AddressOf(node), AnonKey)).Dispose();
                    return true;
                }
                catch (WebSocketException)
                {
                    return false;
                }
            },
            opened => opened
        );
        await node.StopAsync();
        await using var strict = system.BuildServer(new() { ["Live:StreamsPerAddress"] = "1" });
        await strict.StartAsync();
        using (await ChannelClient.OpenAsync(TestSystem.AddressOf(strict), AnonKey))
        {
            await Assert.ThrowsAsync<WebSocketException>(() => ChannelClient.OpenAsync(TestSystem.AddressOf(strict), AnonKey));
        }
        await Eventually.IsAsync(() => Task.FromResult(strict.Services.GetRequiredService<LiveConnections>().Known), known => known == 0);
        await strict.StopAsync();
    }

    private async Task AssertServesAsync()
    {
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey);
        Assert.Equal("ok", (await client.ReplyAsync(await client.SendAsync("phoenix", "heartbeat", new { }))).Status);
    }

    /// <summary>For whoever measures how long something has taken, time passes when the test says so.</summary>
    private sealed class ForwardClock : TimeProvider
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        public TimeSpan Ahead { get; set; }

        public override long GetTimestamp() => _start + (long)(Ahead.TotalSeconds * TimestampFrequency);
    }

    /// <summary>A socket whose client takes nothing.</summary>
    private sealed class NeverRead : WebSocket
    {
        public override WebSocketCloseStatus? CloseStatus => null;
        public override string? CloseStatusDescription => null;
        public override WebSocketState State => WebSocketState.Open;
        public override string? SubProtocol => null;

        public override void Abort() { }

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
            Task.CompletedTask;

        public override void Dispose() { }

        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) =>
            new TaskCompletionSource<WebSocketReceiveResult>().Task;

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) =>
            new TaskCompletionSource().Task;
    }

    public sealed class Installation : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Realtime:MaxMessageBytes"] = "8192",
                ["Realtime:ChannelsPerSocket"] = "5",
                ["Realtime:SubscriptionBytesPerSocket"] = "6000",
            };
    }
}
