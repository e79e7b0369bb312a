using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What every answer says to a browser, and the page on which the API can be tried.</summary>
[Collection(SharedProduct.Name)]
public sealed class HttpHygieneTests(TestSystem system)
{
    [Theory]
    [InlineData("/get-models", 200)]
    [InlineData("/get-user-credits", 401)]
    [InlineData("/no-such-thing", 404)]
    [InlineData("/docs", 200)]
    [InlineData("/health/ready", 200)]
    public async Task Every_answer_carries_the_headers_and_says_nothing_of_its_server(string path, int status)
    {
        using var http = system.Anybody();
        using var answer = await http.GetAsync(path);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
        Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Behind_a_proxy_that_speaks_tls_browsers_are_asked_to_stay_with_it()
    {
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        using var answer = await http.GetAsync("/get-models");
        Assert.True(answer.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task The_page_to_try_the_api_is_whole_and_asks_nobody_else()
    {
        using var http = system.Anybody();
        var page = await http.GetStringAsync("/docs");
        Assert.Contains("openapi/v1.json", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://cdn", page, StringComparison.Ordinal);
        Assert.DoesNotContain("fonts.", page, StringComparison.Ordinal);
        var script = System.Text.RegularExpressions.Regex.Match(page, "src=\"([^\"]+)\"").Groups[1].Value;
        using var answer = await http.GetAsync(new Uri(new Uri(system.Url + "/docs/"), script));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
