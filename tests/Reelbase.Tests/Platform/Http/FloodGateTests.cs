using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>How many requests of one address come in front of the database, without a server.</summary>
[Quick]
public sealed class FloodGateTests
{
    private const int Burst = 500;

    [Fact]
    public void An_address_has_its_burst_and_no_other_address_pays_for_it()
    {
        using var services = Gate();
        Assert.Equal(Burst, LetIn(services, Burst, "192.0.2.1"));
        Assert.True(IsUsedUp(services, "192.0.2.1"));
        Assert.True(IsUsedUp(services, "::ffff:192.0.2.1"));
        Assert.Equal(Burst, LetIn(services, Burst, "192.0.2.2"));
    }

    [Fact]
    public void An_ipv6_network_is_one_caller_and_so_is_whoever_has_no_address()
    {
        using var services = Gate();
        Assert.Equal(Burst, LetIn(services, Burst, "2001:db8:1:1::1"));
        Assert.True(IsUsedUp(services, "2001:db8:1:1:ffff::2"));
        Assert.Equal(Burst, LetIn(services, Burst, "2001:db8:1:2::1"));
        Assert.Equal(Burst, LetIn(services, Burst, null));
        Assert.True(IsUsedUp(services, null));
    }

    [Theory]
    [InlineData("/auth/v1/token", true)]
    [InlineData("/AUTH/v1/token", true)]
    [InlineData("/device-check", true)]
    [InlineData("/functions/v1/device-check", true)]
    [InlineData("/health/live", true)]
    [InlineData("/health/ready", true)]
    [InlineData("/metrics", true)]
    [InlineData("/auth/v1/token/", false)]
    [InlineData("/auth/v1/tokens", false)]
    [InlineData("/health", false)]
    [InlineData("", false)]
    public void Only_what_may_never_be_refused_comes_in_behind_a_flood(string path, bool isNeverRefused)
    {
        using var services = Gate();
        Assert.Equal(Burst, LetIn(services, Burst, "192.0.2.1", path));
        Assert.Equal(!isNeverRefused, IsUsedUp(services, "192.0.2.1", path));
    }

    [Fact]
    public void No_gate_stands_where_none_was_asked_for()
    {
        var services = new ServiceCollection();
        GlobalRateLimiter.Add(services, new FloodOptions { RequestsPerSecond = 0 });
        Assert.Empty(services);
    }

    private static ServiceProvider Gate()
    {
        var services = new ServiceCollection();
        GlobalRateLimiter.Add(services, new FloodOptions { RequestsPerSecond = 1, BurstRequests = Burst });
        return services.BuildServiceProvider();
    }

    /// <summary>Fewer come in than a burst: one a second comes back meanwhile, however long this test stands still.</summary>
    private static bool IsUsedUp(ServiceProvider services, string? address, string path = "/get-models") => LetIn(services, Burst, address, path) < Burst;

    private static int LetIn(ServiceProvider services, int requests, string? address, string path = "/get-models")
    {
        var context = new DefaultHttpContext { RequestServices = services };
        context.Request.Path = path;
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);
        var limiter = services.GetRequiredService<IOptions<RateLimiterOptions>>().Value.GlobalLimiter!;
        return Enumerable.Range(0, requests).Count(_ => limiter.AttemptAcquire(context).IsAcquired);
    }
}
