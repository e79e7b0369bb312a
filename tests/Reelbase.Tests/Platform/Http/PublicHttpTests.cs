using System.Net;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>Where downloads may go, and which language an error speaks.</summary>
[Quick]
public sealed class PublicHttpTests
{
    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("fec0::1", false)]
    [InlineData("3fff::1", false)]
    public void Only_public_addresses_are_public(string address, bool isPublic) => Assert.Equal(isPublic, PublicHttp.IsPublic(IPAddress.Parse(address)));

    [Fact]
    public async Task A_name_that_leads_home_is_refused_and_an_allowed_endpoint_is_not()
    {
        using var strict = new HttpClient(PublicHttp.CreateHandler([], new Dialer()));
        var error = await Assert.ThrowsAnyAsync<Exception>(() => strict.GetAsync("http://localhost:9/"));
        Assert.Contains("not public", error.ToString(), StringComparison.Ordinal);
        using var open = new HttpClient(PublicHttp.CreateHandler(["localhost:9"], new Dialer()));
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => open.GetAsync("http://localhost:9/"));
        Assert.Equal(HttpRequestError.ConnectionError, refused.HttpRequestError);
    }

    [Theory]
    [InlineData("", "en")]
    [InlineData("tr", "tr")]
    [InlineData("tr-TR,tr;q=0.9,en;q=0.8", "tr")]
    [InlineData("fr, es-MX;q=0.7, en;q=0.3", "es")]
    [InlineData("en;q=0.1, tr;q=0.2, es;q=0.3", "es")]
    [InlineData("tr;q=0, es", "es")]
    [InlineData("*", "en")]
    [InlineData("de, ja", "en")]
    [InlineData(";;;q=x", "en")]
    public void The_best_wanted_language_is_chosen(string header, string language) => Assert.Equal(language, AcceptLanguage.Choose(header));
}
