using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>Readiness says what was last heard from each outside system, and when; a system that is away makes no node less ready.</summary>
public sealed class OutsideWordsTests(TestSystem system) : IClassFixture<TestSystem>
{
    private static readonly string[] Systems =
    [
        "device_check",
        "app_store",
        "apple_sign_in",
        "push",
        "fal",
        "runway",
        "storage",
        "scanner",
        "moderation",
        "telegram",
    ];

    [Fact]
    public async Task Readiness_names_each_outside_system_with_its_last_success_and_its_last_failure_in_words()
    {
        await Phone.OnboardAsync(system.Url);
        var before = await ReadyAsync();
        Assert.All(Systems, name => Assert.True(before.GetProperty("outside").TryGetProperty(name, out _), name));
        Assert.Equal("off", State(before, "scanner"));
        Assert.Equal("ok", State(before, "device_check"));
        Assert.NotEqual(JsonValueKind.Null, Of(before, "device_check").GetProperty("last_success_at").ValueKind);

        await using (await system.OutageAsync("devicecheck", "down"))
        {
            await Phone.OnboardAsync(system.Url);
            var after = await Eventually.IsAsync(
                () => ReadyAsync(),
                ready => State(ready, "device_check") == "failing" && ready.GetProperty("status").GetString() == "ready"
            );
            Assert.StartsWith("answered ", Of(after, "device_check").GetProperty("last_failure").GetString(), StringComparison.Ordinal);
            Assert.NotEqual(JsonValueKind.Null, Of(after, "device_check").GetProperty("last_failure_at").ValueKind);
            // Every other node hears of it.
            await Eventually.IsAsync(
                () => system.QueryAsync<long>("select count(*) from outside_systems where system = 'device_check' and last_failure like 'answered %'"),
                rows => rows == 1
            );
            await using var other = system.BuildServer(new() { ["Server:Roles:1"] = "api" });
            await other.StartAsync();
            Assert.Equal("failing", State(await ReadyAsync(TestSystem.AddressOf(other)), "device_check"));
            await other.StopAsync();
        }
    }

    [Fact]
    public async Task Readiness_says_which_program_answers_and_for_which_installation()
    {
        var ready = await ReadyAsync();
        Assert.Matches("^[0-9]{4}-[0-9a-f]{8}$", ready.GetProperty("program").GetProperty("schema").GetString());
        Assert.Matches("^[0-9a-f]{16}$", ready.GetProperty("installation").GetString());
        Assert.Empty(ready.GetProperty("warnings").EnumerateArray());
        using var http = new HttpClient { BaseAddress = new Uri(system.Url) };
        Assert.Contains("reelbase_build_info{", await http.GetStringAsync("/metrics"), StringComparison.Ordinal);
        var (code, output) = await ServerProcess.RunAsync("version", "--database", system.Owner);
        Assert.Equal(0, code);
        Assert.Contains($"schema {ready.GetProperty("program").GetProperty("schema").GetString()}", output, StringComparison.Ordinal);
        Assert.Contains($"Node {Environment.MachineName}/{Environment.ProcessId}", output, StringComparison.Ordinal);
    }

    /// <summary>Neither Development, which believes loopback, nor Production, which wants keys of its own.</summary>
    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.9")]
    [InlineData("X-Forwarded-Proto", "https")]
    public async Task Forwarding_headers_of_a_peer_that_is_not_trusted_are_said_in_readiness_and_in_the_list_of_nodes(string header, string value)
    {
        await using var node = system.BuildServer(environment: "Staging");
        await node.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        Assert.Empty((await ReadyAsync(TestSystem.AddressOf(node))).GetProperty("warnings").EnumerateArray());
        http.DefaultRequestHeaders.Add(header, value);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/live")).StatusCode);
        var warnings = await Eventually.IsAsync(
            async () => (await ReadyAsync(TestSystem.AddressOf(node))).GetProperty("warnings"),
            warnings => warnings.GetArrayLength() == 1
        );
        Assert.Contains("Server:TrustedProxies", warnings[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(IPAddress.Loopback, node.Services.GetRequiredService<Reelbase.Server.Platform.Http.ForwardingMonitor>().Last?.Peer);
        await node.StopAsync();

        // What a trusted proxy passes on of what others said to it is no sign of a proxy that is not.
        await using var trusting = system.BuildServer(new() { ["Server:TrustedProxies:0"] = "127.0.0.1" }, environment: "Staging");
        await trusting.StartAsync();
        using var behind = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(trusting)) };
        behind.DefaultRequestHeaders.Add("X-Forwarded-For", "198.51.100.1, 203.0.113.9");
        await behind.GetAsync("/health/live");
        Assert.Empty((await ReadyAsync(TestSystem.AddressOf(trusting))).GetProperty("warnings").EnumerateArray());
        await trusting.StopAsync();
    }

    /// <summary>What a node that is ready says; one that a busy machine holds up is asked again.</summary>
    private async Task<JsonElement> ReadyAsync(string? url = null)
    {
        using var http = new HttpClient { BaseAddress = new Uri(url ?? system.Url), Timeout = Patience.Span };
        using var answer = await Eventually.IsAsync(() => http.GetAsync("/health/ready"), answer => answer.StatusCode == HttpStatusCode.OK);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static JsonElement Of(JsonElement ready, string name) => ready.GetProperty("outside").GetProperty(name);

    private static string? State(JsonElement ready, string name) => Of(ready, name).GetProperty("state").GetString();
}
