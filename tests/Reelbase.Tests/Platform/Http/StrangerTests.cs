using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What a stranger says of themself, of us and of others in a request's headers, and what it gains them.</summary>
public sealed class StrangerTests(TestSystem system) : IClassFixture<TestSystem>
{
    [Fact]
    public async Task Where_the_listener_has_both_families_each_ipv4_address_has_its_own_limit()
    {
        await using var node = system.BuildServer(new() { ["urls"] = "http://[::]:0", ["Devices:NewDevicesPerWindow"] = "1" }, "Production");
        await node.StartAsync();
        var port = new Uri(TestSystem.AddressOf(node)).Port;
        async Task<HttpStatusCode> OnboardFromAsync(string address)
        {
            using var http = new HttpClient(From(IPAddress.Parse(address))) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            using var answer = await http.PostAsJsonAsync(
                "/device-check",
                new { device_id = Guid.NewGuid().ToString(), device_token = Phone.TokenOf($"{Guid.NewGuid()}") }
            );
            return answer.StatusCode;
        }
        Assert.Equal(HttpStatusCode.OK, await OnboardFromAsync("127.0.0.21"));
        Assert.Equal(HttpStatusCode.OK, await OnboardFromAsync("127.0.0.22"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await OnboardFromAsync("127.0.0.21"));
        Assert.Equal(
            ["127.0.0.21|32", "127.0.0.22|32"],
            await system.RowsAsync(
                "select host(ip_address), masklen(ip_address) from rate_limit_log where action = 'device_check_new' and host(ip_address) like '%127.0.0.2%' order by 1"
            )
        );
        await node.StopAsync();
    }

    [Theory]
    [InlineData("unknown", "127.0.0.1")]
    [InlineData("not an address; drop table users", "127.0.0.1")]
    [InlineData("203.0.113.77:4711", "203.0.113.77")]
    [InlineData("::ffff:203.0.113.78", "203.0.113.78")]
    [InlineData("[2001:db8:7::1]:443", "2001:db8:7::")]
    [InlineData("_hidden, 203.0.113.79", "203.0.113.79")]
    // Whoever writes to the left of the last hop that nobody vouches for is not believed.
    [InlineData("198.51.100.1, 203.0.113.80", "203.0.113.80")]
    [InlineData("1.1.1.1, 2.2.2.2, 3.3.3.3, 4.4.4.4, 5.5.5.5, 6.6.6.6, 7.7.7.7, 8.8.8.8, 203.0.113.81", "203.0.113.81")]
    public async Task A_strange_forwarding_header_falls_back_to_what_is_known(string forwarded, string counted)
    {
        await using var own = new Counting();
        await own.InitializeAsync();
        using var http = own.Anybody();
        http.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", forwarded);
        using var answer = await http.PostAsJsonAsync("/device-check", new { device_id = Guid.NewGuid().ToString(), device_token = Phone.TokenOf(forwarded) });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([counted], await own.RowsAsync("select host(ip_address) from rate_limit_log where action = 'device_check_new'"));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("")]
    [InlineData(" 127.0.0.1")]
    [InlineData("10.0.0.0/33")]
    public void A_proxy_that_is_no_address_is_named_by_its_key(string proxy)
    {
        var error = Assert.Throws<OptionsValidationException>(() => system.BuildServer(new() { ["Server:TrustedProxies:0"] = proxy }));
        Assert.Equal($"Server:TrustedProxies:0 must be an IP address or a network such as 10.0.0.0/8, and not '{proxy}'", Assert.Single(error.Failures));
    }

    [Fact]
    public void A_limit_of_connections_that_lets_nobody_in_is_refused_at_the_start()
    {
        var error = Assert.Throws<OptionsValidationException>(() => system.BuildServer(new() { ["Server:ConnectionsPerAddress"] = "0" }));
        Assert.StartsWith("Server:ConnectionsPerAddress must be at least 1", Assert.Single(error.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_exact_paths_of_the_exceptions_pass_the_limiter()
    {
        await using var node = system.BuildServer(new() { ["Flood:RequestsPerSecond"] = "1", ["Flood:BurstRequests"] = "5" });
        await node.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        foreach (var path in new[] { "/health/x", "/metrics/x", "/device-check/x", "/auth/v1/token/x", "/no-such-thing" })
        {
            // At once and many more than the burst: a slow machine earns a place each second.
            var statuses = await Task.WhenAll(
                Enumerable
                    .Range(0, 60)
                    .Select(async _ =>
                    {
                        using var answer = await http.GetAsync(path);
                        return answer.StatusCode;
                    })
            );
            Assert.Contains(HttpStatusCode.TooManyRequests, statuses);
        }
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/live")).StatusCode);
        await node.StopAsync();
    }

    [Fact]
    public async Task Metrics_ask_for_a_token_in_production()
    {
        async Task<HttpStatusCode> AskAsync(Dictionary<string, string?> settings, string environment, string? token, string? forwarded = null)
        {
            await using var node = system.BuildServer(settings, environment);
            await node.StartAsync();
            using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
            using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
            if (token is not null)
            {
                request.Headers.Authorization = new("Bearer", token);
            }
            if (forwarded is not null)
            {
                request.Headers.Add("Via", forwarded);
            }
            using var answer = await http.SendAsync(request);
            await node.StopAsync();
            return answer.StatusCode;
        }
        var secret = Guid.NewGuid().ToString();
        var withToken = new Dictionary<string, string?> { ["Telemetry:MetricsToken"] = secret };
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync([], "Production", null));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(withToken, "Production", "wrong"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(withToken, "Production", secret));
        Assert.Equal(HttpStatusCode.OK, await AskAsync([], "Development", null));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync([], "Development", null, "1.1 somebody"));
    }

    [Fact]
    public async Task A_large_body_without_a_token_is_refused_by_its_headers_alone_and_a_slow_sender_reads_why()
    {
        const int bodyBytes = 900_000;
        using var client = new TcpClient();
        var server = new Uri(system.Url);
        await client.ConnectAsync(server.Host, server.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /generate-video HTTP/1.1\r\nHost: {server.Authority}\r\nContent-Type: application/json\r\nContent-Length: {bodyBytes}\r\n\r\n"
            ),
            TestContext.Current.CancellationToken
        );
        // Not one byte of the body has been sent, and the answer is here.
        var buffer = new byte[16 * 1024];
        var read = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 401", Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
        // The rest goes out all the same, as a phone's library would send it, and nobody resets the connection meanwhile.
        for (var sent = 0; sent < bodyBytes; sent += 100_000)
        {
            await stream.WriteAsync(new byte[100_000], TestContext.Current.CancellationToken);
        }
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET /health/live HTTP/1.1\r\nHost: {server.Authority}\r\nConnection: close\r\n\r\n"),
            TestContext.Current.CancellationToken
        );
        using var reader = new StreamReader(stream, Encoding.UTF8);
        Assert.Contains("\"live\"", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_personal_is_kept_by_a_cache()
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Not for caches"))["job_id"];
        foreach (
            var path in new[]
            {
                "/get-user-credits",
                "/get-user-profile",
                "/get-video-jobs",
                $"/get-video-status?job_id={job}",
                "/get-credit-history",
                "/nowhere",
            }
        )
        {
            using var answer = await phone.Http.GetAsync(path);
            Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        }
        Assert.Equal("no-store", phone.Onboarding.Raw.Headers.CacheControl?.ToString());
        using var models = await phone.Http.GetAsync("/get-models");
        Assert.Equal("public, no-cache", string.Join(", ", models.Headers.GetValues("Cache-Control")));
    }

    [Fact]
    public async Task A_host_that_is_not_ours_is_refused_and_health_answers_to_any()
    {
        await using var node = system.BuildServer(new() { ["Server:AllowedHosts:0"] = "*.example.com" }, "Production");
        await node.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        async Task<(HttpStatusCode Status, string Text)> AskAsync(string host, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };
            using var answer = await http.SendAsync(request);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("127.0.0.1", "/get-models")).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("api.example.com:8443", "/get-models")).Status);
        var refused = await AskAsync("evil.example", "/get-models");
        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains("unknown_host", refused.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("10.1.2.3", "/health/live")).Status);
        await node.StopAsync();
    }

    [Fact]
    public async Task A_strangers_trace_does_not_become_ours()
    {
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        var error = JsonDocument.Parse(await http.GetStringAsyncOfAnyStatus("/nowhere")).RootElement.GetProperty("error");
        Assert.NotEqual(trace, error.GetProperty("trace_id").GetString());
    }

    [Theory]
    [InlineData("http://127.0.0.1/a.png")]
    [InlineData("http://127.1/a.png")]
    [InlineData("http://2130706433/a.png")]
    [InlineData("http://0x7f.1/a.png")]
    [InlineData("http://[::1]/a.png")]
    [InlineData("http://[::ffff:10.0.0.1]/a.png")]
    [InlineData("http://10.0.0.7/a.png")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://[fe80::1]/a.png")]
    [InlineData("http://localhost/a.png")]
    [InlineData("http://localhost./a.png")]
    [InlineData("http://intranet/a.png")]
    [InlineData("http://printer.local/a.png")]
    [InlineData("http://METADATA.google.INTERNAL/a.png")]
    [InlineData("http://127.0.0.1./a.png")]
    [InlineData("http://[::ffff:0:127.0.0.1]/a.png")]
    [InlineData("http://[64:ff9b:1::7f00:1]/a.png")]
    [InlineData("http://[3fff::1]/a.png")]
    public async Task A_picture_inside_a_network_is_refused_before_anything_is_charged(string url)
    {
        var phone = await system.NewGuestAsync();
        var answer = await PressAsync(phone, url);
        Assert.Equal("ERR_4003", answer.Code);
        Assert.Equal("not_a_public_address", answer["error"].GetProperty("details").GetProperty("reason").GetString());
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Theory]
    [InlineData("http://\uff1127.0.0.1/a.png")] // a full-width digit
    [InlineData("http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/a.png")] // digits in circles
    [InlineData("http://127\u30020\u30020\u30021/a.png")] // ideographic full stops
    [InlineData("http://\uff4cocalhost/a.png")]
    [InlineData("http://printer\uff0elocal/a.png")]
    [InlineData("http://%31%32%37.0.0.1/a.png")]
    [InlineData("http://127.0.0.1\\@pictures.example.com/a.png")]
    public async Task A_host_that_each_client_reads_in_its_own_way_is_no_address(string url)
    {
        var phone = await system.NewGuestAsync();
        var answer = await PressAsync(phone, url);
        Assert.Equal("ERR_4003", answer.Code);
        Assert.Equal("not_an_address", answer["error"].GetProperty("details").GetProperty("reason").GetString());
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_public_picture_and_our_own_storage_are_taken()
    {
        var phone = await system.NewGuestAsync(100);
        Assert.Equal(HttpStatusCode.OK, (await PressAsync(phone, "https://pictures.example.com/a.png")).Status);
        var name = $"uploads/{phone.UserId}/a.png";
        Assert.Equal(HttpStatusCode.OK, (await Features.UploadTests.SendAsync(phone, HttpMethod.Put, name, Pictures.Png(), "image/png")).Status);
        Assert.Equal(HttpStatusCode.OK, (await PressAsync(phone, $"{system.Url}/storage/v1/object/{name}")).Status);
    }

    private static Task<ApiResponse> PressAsync(Phone phone, string url) =>
        phone.PostAsync(
            "/generate-video",
            new
            {
                model_id = Catalog.FastModel,
                prompt = "A picture from somewhere",
                image_url = url,
            },
            Guid.NewGuid()
        );

    private static SocketsHttpHandler From(IPAddress address) =>
        new()
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(address, 0));
                await socket.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };

    private sealed class Counting : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Devices:NewDevicesPerWindow"] = "1000" };
    }
}

file static class AnyStatus
{
    public static async Task<string> GetStringAsyncOfAnyStatus(this HttpClient http, string path)
    {
        using var answer = await http.GetAsync(path);
        return await answer.Content.ReadAsStringAsync();
    }
}
