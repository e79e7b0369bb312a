using System.Net;
using Microsoft.AspNetCore.Http;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>Whom a limit takes for one caller, and what the headers say of it.</summary>
[Quick]
public sealed class ClientAddressTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    [InlineData("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::")]
    [InlineData("fe80::1%3", "fe80::1", "fe80::")]
    [InlineData("::1", "::1", "::")]
    public void A_caller_is_an_ipv4_address_or_an_ipv6_network_of_64_bits(string address, string plain, string network)
    {
        Assert.Equal(IPAddress.Parse(plain), ClientAddress.Normalize(IPAddress.Parse(address)));
        Assert.Equal(
            0,
            ClientAddress.Normalize(IPAddress.Parse(address)) is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } six ? six.ScopeId : 0
        );
        Assert.Equal(IPAddress.Parse(network), ClientAddress.Network(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("X-Forwarded-For", true, true)]
    [InlineData("x-forwarded-proto", true, true)]
    [InlineData("X-Forwarded-Host", true, false)]
    [InlineData("X-Real-IP", true, false)]
    [InlineData("Forwarded", true, false)]
    [InlineData("Via", true, false)]
    [InlineData("CF-Connecting-IP", true, false)]
    [InlineData("True-Client-IP", true, false)]
    [InlineData("X-Other", false, false)]
    public void Each_header_of_a_proxy_shows_that_somebody_stands_between(string header, bool isForwarded, bool forwards)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers[header] = "192.0.2.1";
        Assert.Equal((isForwarded, forwards), (ClientAddress.IsForwardedByStranger(context), ClientAddress.Forwards(context)));
    }

    [Theory]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData(null, null)]
    public async Task Whatever_comes_behind_sees_the_plain_address(string? address, string? plain)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);
        IPAddress? seen = IPAddress.None;
        await ClientAddress.NormalizeAsync(
            context,
            next =>
            {
                seen = next.Connection.RemoteIpAddress;
                return Task.CompletedTask;
            }
        );
        Assert.Equal(plain is null ? null : IPAddress.Parse(plain), seen);
    }

    [Fact]
    public void Headers_say_what_is_left_of_a_limit_and_nothing_where_there_is_none()
    {
        var none = new DefaultHttpContext();
        RateLimitHeaders.Set(none, null, 3, DateTime.UnixEpoch);
        Assert.Empty(none.Response.Headers);

        var reached = new DefaultHttpContext();
        RateLimitHeaders.Set(reached, 10, null, null);
        Assert.Equal(["X-RateLimit-Limit: 10", "X-RateLimit-Remaining: 0"], reached.Response.Headers.Select(header => $"{header.Key}: {header.Value}"));

        var some = new DefaultHttpContext();
        RateLimitHeaders.Set(some, 10, 3, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(
            ["X-RateLimit-Limit: 10", "X-RateLimit-Remaining: 3", "X-RateLimit-Reset: 1767225600"],
            some.Response.Headers.Select(header => $"{header.Key}: {header.Value}")
        );
    }
}
