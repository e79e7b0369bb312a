using System.Net;
using System.Security.Cryptography;
using System.Text;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>
/// A developer's first hour: a real phone whose token only true Apple could read, at pretend Apple; and the iOS Simulator, which has no DeviceCheck at all.
/// </summary>
public sealed class FirstPhoneTests(FirstPhoneTests.Product system) : IClassFixture<FirstPhoneTests.Product>
{
    /// <summary>As <c>./reelbase run --lan</c> starts it.</summary>
    public sealed class Product : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["DeviceCheck:AcceptIosSimulators"] = "true" };

        protected override IReadOnlyList<string> MoreSimulatorArguments => ["--DeviceCheck:TakesRealTokens", "true"];
    }

    [Fact]
    public async Task A_real_phones_token_is_a_device_of_its_own_at_pretend_apple()
    {
        var id = Guid.NewGuid().ToString();
        var first = await Phone.CheckAsync(system.Url, id, RealToken());
        Assert.Equal((HttpStatusCode.OK, 10), (first.Status, first["credits_remaining"].GetInt32()));
        Assert.True(first["is_valid_device"].GetBoolean());
        // The next launch brings another token, and the id says whose it is.
        var again = await Phone.CheckAsync(system.Url, id, RealToken());
        Assert.Equal(first["user_id"].GetGuid(), again["user_id"].GetGuid());
        Assert.Equal((false, 10), (again["is_new"].GetBoolean(), again["credits_remaining"].GetInt32()));
        // The very same token under another id is the same device, which has had its credits.
        var token = RealToken();
        Assert.Equal(10, (await Phone.CheckAsync(system.Url, Guid.NewGuid().ToString(), token))["credits_remaining"].GetInt32());
        Assert.Equal(0, (await Phone.CheckAsync(system.Url, Guid.NewGuid().ToString(), token))["credits_remaining"].GetInt32());
    }

    [Fact]
    public async Task A_text_that_is_too_short_for_a_real_token_is_still_none()
    {
        var refused = await Phone.CheckAsync(system.Url, Guid.NewGuid().ToString(), Convert.ToBase64String(RandomNumberGenerator.GetBytes(60)));
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4010"), (refused.Status, refused.Code));
    }

    [Fact]
    public async Task An_ios_simulator_is_a_device_of_its_own_and_apple_is_never_asked()
    {
        var name = Guid.NewGuid().ToString();
        var id = Guid.NewGuid().ToString();
        var first = await Phone.CheckAsync(system.Url, id, SimulatorToken(name));
        Assert.Equal((HttpStatusCode.OK, 10), (first.Status, first["credits_remaining"].GetInt32()));
        Assert.True(first["is_valid_device"].GetBoolean());
        var again = await Phone.CheckAsync(system.Url, id, SimulatorToken(name));
        Assert.Equal(first["user_id"].GetGuid(), again["user_id"].GetGuid());
        // Another installation in the same simulator.
        Assert.Equal(0, (await Phone.CheckAsync(system.Url, Guid.NewGuid().ToString(), SimulatorToken(name)))["credits_remaining"].GetInt32());
        Assert.DoesNotContain(name, await system.Control.GetStringAsync("/_control/devicecheck/devices"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_switch_an_ios_simulators_token_is_one_that_apple_refuses()
    {
        await using var node = system.BuildServer(new() { ["DeviceCheck:AcceptIosSimulators"] = "false" });
        await node.StartAsync(TestContext.Current.CancellationToken);
        var refused = await Phone.CheckAsync(TestSystem.AddressOf(node), Guid.NewGuid().ToString(), SimulatorToken("x"));
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4010"), (refused.Status, refused.Code));
        await node.StopAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>As long as those of a phone, and as unreadable.</summary>
    private static string RealToken() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(1500));

    private static string SimulatorToken(string name) => Convert.ToBase64String(Encoding.UTF8.GetBytes("ios-simulator:" + name));
}
