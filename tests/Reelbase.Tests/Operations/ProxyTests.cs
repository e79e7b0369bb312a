using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>Behind the real nginx and Caddy: with nothing set but the node's address, and with each example of <c>deploy/</c>.</summary>
[Trait("Needs", "proxies")]
public sealed class ProxyTests(ProxyTests.Installation system) : IClassFixture<ProxyTests.Installation>
{
    private const string OwnName = "https://video.example.com";
    private const string Shared = "https://example.com";
    private const string Below = "/reelbase";

    /// <summary>What the examples for Caddy say of compression: before 2.6.3 it held back all that it compressed.</summary>
    private const string Compression = "@whole not header Accept *text/event-stream*\n\tencode @whole gzip";

    [Theory]
    [InlineData(false, "")]
    [InlineData(false, "gzip_types *;")]
    [InlineData(true, "")]
    [InlineData(true, Compression)]
    public async Task With_the_proxys_defaults_an_event_is_there_before_its_stream_ends(bool isCaddy, string more)
    {
        var node = new Uri(system.Url).Authority;
        var site = isCaddy
            ? $"http:// {{\n\t{more}\n\treverse_proxy {node}\n}}\n"
            : $"server {{ listen 80; {more} location / {{ proxy_pass http://{node}; }} }}\n";
        await using var proxy = await Proxy.StartAsync(isCaddy, site, "http://127.0.0.1");
        var phone = await Phone.OnboardAsync("http://127.0.0.1", through: proxy.Line());
        await SeesEventsAsync(phone, await StartJobAsync(phone));
        if (more == Compression)
        {
            Assert.All(
                (string[])["Caddyfile", "sub-path.Caddyfile", "two-nodes.Caddyfile"],
                file => Assert.Contains(Compression, File.ReadAllText(Repository.PathOf("deploy/caddy/" + file)), StringComparison.Ordinal)
            );
        }
        if (isCaddy)
        {
            // nginx passes no upgrade on unless it is said, as the example does.
            await SeesChangesAsync(phone, proxy, "http://127.0.0.1", system.Server);
        }
    }

    [Theory]
    [InlineData("nginx/reelbase.conf")]
    [InlineData("caddy/Caddyfile")]
    public async Task Behind_the_example_an_app_has_its_events_its_sockets_its_own_address_and_https(string example)
    {
        await using var node = await StartNodeAsync(OwnName);
        await using var proxy = await Proxy.ExampleAsync(example, OwnName, ("127.0.0.1:8080", Authority(node)));
        var phone = await Phone.OnboardAsync(OwnName, through: proxy.Line());
        await SeesEventsAsync(phone, await StartJobAsync(phone));
        await SeesChangesAsync(phone, proxy, OwnName, node);
        Assert.True(phone.Onboarding.Raw.Headers.Contains("Strict-Transport-Security"));
        Assert.NotEqual(0, await system.QueryAsync<long>($"select count(*) from rate_limit_log where ip_address = '{proxy.ClientAddress}'"));
        Assert.Null(node.Services.GetRequiredService<ForwardingMonitor>().Last);
        // Over plain http there is nothing but a browser's way to https: an app that asks there fails, with its tokens or without.
        using var http = new HttpClient(proxy.Line(), disposeHandler: false);
        using var plain = await http.GetAsync("http://video.example.com/get-models");
        Assert.Equal(HttpStatusCode.Forbidden, plain.StatusCode);
        using var page = await http.GetAsync("http://video.example.com/admin/users");
        Assert.Equal((308, $"{OwnName}/admin/users"), ((int)page.StatusCode, page.Headers.Location?.ToString()));
        await node.StopAsync();
    }

    [Theory]
    [InlineData("nginx/sub-path.conf")]
    [InlineData("caddy/sub-path.Caddyfile")]
    public async Task On_a_sub_path_everything_that_the_server_says_of_itself_carries_it(string example)
    {
        await using var node = await StartNodeAsync(Shared + Below, Below);
        await using var proxy = await Proxy.ExampleAsync(example, Shared + Below, ("127.0.0.1:8080", Authority(node)));
        var phone = await Phone.OnboardAsync(Shared, through: proxy.Line(Below));
        await system.QueryAsync<string>($"select add_credits('{phone.UserId}', 10, 'admin_adjustment')::text");
        await SeesEventsAsync(phone, await StartJobAsync(phone));
        await SeesChangesAsync(phone, proxy, Shared + Below, node);
        var done = await phone.GenerateAndWatchAsync("A video on a sub-path");
        var video = done.GetProperty("video_url").GetString()!;
        Assert.StartsWith(Shared + Below + "/storage/v1/object/sign/videos/", video, StringComparison.Ordinal);
        using var http = new HttpClient(proxy.Line(), disposeHandler: false);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(video)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(Shared + "/get-models")).StatusCode);
        // The names below this host are its owner's.
        Assert.Equal("max-age=31536000", phone.Onboarding.Raw.Headers.GetValues("Strict-Transport-Security").Single());
        Assert.Matches("\"url\": \"/reelbase\"", await http.GetStringAsync(Shared + Below + "/openapi/v1.json"));
        // The console: where it sends whoever is not signed in, what its page asks for, and how far its cookies go.
        using var closed = await http.GetAsync(Shared + Below + "/admin");
        Assert.StartsWith(Shared + Below + "/admin/sign-in", closed.Headers.Location?.ToString(), StringComparison.Ordinal);
        using var page = await http.GetAsync(Shared + Below + "/admin/sign-in");
        Assert.Contains("<base href=\"/reelbase/\"", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var cookie = Assert.Single(page.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("__Secure-reelbase_form=", cookie, StringComparison.Ordinal);
        Assert.Contains("; path=/reelbase;", cookie, StringComparison.OrdinalIgnoreCase);
        await node.StopAsync();
    }

    [Theory]
    [InlineData("nginx/two-nodes.conf")]
    [InlineData("caddy/two-nodes.Caddyfile")]
    public async Task A_guest_of_one_node_is_served_by_the_other_and_a_node_that_is_away_is_left_out(string example)
    {
        using var address = LoopbackAddress.Hold();
        await using var first = await StartNodeAsync(OwnName);
        (string, string)[] nodes = [("10.0.0.5:8080", Authority(first)), ("10.0.0.6:8080", new Uri(address.Url).Authority)];
        // Caddy goes on to the next node for so long, which a machine that stands still must not use up.
        (string, string)[] patience = example.StartsWith("caddy/", StringComparison.Ordinal) ? [("lb_try_duration 5s", "lb_try_duration 100s")] : [];
        await using var proxy = await Proxy.ExampleAsync(example, OwnName, [.. nodes, .. patience]);
        // The second node is not there yet: whatever the proxy tries with it goes to the first.
        var phone = await Phone.OnboardAsync(OwnName, through: proxy.Line());
        var done = await phone.GenerateAndWatchAsync("Made before the second node came");
        await using var second = await StartNodeAsync(OwnName, listen: address.Url);
        await first.StopAsync();
        // Until the proxy has seen that they have changed.
        await Eventually.IsAsync(() => phone.GetAsync("/get-user-credits"), answer => answer.Status == HttpStatusCode.OK);
        await Eventually.IsAsync(
            async () => (await phone.Http.GetAsync(done.GetProperty("video_url").GetString()!)).StatusCode,
            status => status == HttpStatusCode.OK
        );
        Assert.Null(second.Services.GetRequiredService<ForwardingMonitor>().Last);
        await second.StopAsync();
    }

    private static string Authority(WebApplication node) => new Uri(TestSystem.AddressOf(node)).Authority;

    /// <summary>A node as it is behind a proxy: in Production, where nobody is trusted who is not named. Jobs are worked on by the test's own server.</summary>
    private async Task<WebApplication> StartNodeAsync(string url, string? below = null, string? listen = null)
    {
        var node = system.BuildServer(
            new()
            {
                ["Server:PublicUrl"] = url,
                ["Server:PathBase"] = below,
                ["Server:Roles:1"] = "admin",
                ["Server:TrustedProxies:0"] = "127.0.0.1",
                ["Devices:NewDevicesPerWindow"] = "1000",
                ["urls"] = listen,
            },
            "Production"
        );
        await node.StartAsync();
        return node;
    }

    private static async Task<string> StartJobAsync(Phone phone)
    {
        var accepted = await phone.GenerateAsync("Behind a proxy [slow 3600]");
        Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
        return accepted["job_id"].GetString()!;
    }

    /// <summary>Reads two events of a stream that goes on: the second is made after the first has arrived, and the job does not end.</summary>
    private async Task SeesEventsAsync(Phone phone, string job)
    {
        using var limit = Patience.Limit();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={job}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await phone.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(limit.Token));
        await Phone.ReadUntilAsync(reader, "event: status");
        await system.ExecuteAsync($"update video_jobs set prompt = 'Changed while it streams' where job_id = '{job}'");
        await Phone.ReadUntilAsync(reader, "Changed while it streams");
    }

    private async Task SeesChangesAsync(Phone phone, Proxy proxy, string url, WebApplication node)
    {
        using var channel = await ChannelClient.OpenAsync(url, node.Services.GetRequiredService<AccessTokens>().CreateAnonKey(), through: proxy.Sockets());
        await channel.JoinedAsync("realtime:mine", phone.AccessToken, ChannelClient.Changes("video_jobs", "UPDATE"));
        await system.ExecuteAsync($"update video_jobs set prompt = 'Changed for a socket' where user_id = '{phone.UserId}'");
        await channel.ChangeAsync(data => data.GetProperty("record").GetProperty("prompt").GetString() == "Changed for a socket");
    }

    public sealed class Installation : TestSystem;
}
