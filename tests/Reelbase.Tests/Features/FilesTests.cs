using System.Net;
using System.Net.Http.Headers;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Stored videos: whole, in pieces, and only for whom they are meant.</summary>
public sealed class FilesTests(FilesTests.WithVideo system) : IClassFixture<FilesTests.WithVideo>
{
    /// <summary>One finished video, looked at by every test.</summary>
    public sealed class WithVideo : TestSystem
    {
        public Phone Keeper { get; private set; } = null!;
        public string VideoUrl { get; private set; } = "";
        public string Name { get; private set; } = "";

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Keeper = await NewGuestAsync();
            var last = await Keeper.GenerateAndWatchAsync("A file");
            VideoUrl = last.GetProperty("video_url").GetString()!;
            Name = new Uri(VideoUrl).AbsolutePath.Split("/sign/")[1];
        }
    }

    [Fact]
    public async Task A_signed_address_serves_the_whole_file()
    {
        using var answer = await SendAsync(HttpMethod.Get, system.VideoUrl);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("video/mp4", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal("bytes", answer.Headers.AcceptRanges.Single());
        Assert.Equal(answer.Content.Headers.ContentLength, (await answer.Content.ReadAsByteArrayAsync()).Length);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task Ranges_are_answered_exactly()
    {
        using var whole = await SendAsync(HttpMethod.Get, system.VideoUrl);
        var bytes = await whole.Content.ReadAsByteArrayAsync();
        using var middle = await SendAsync(HttpMethod.Get, system.VideoUrl, new RangeHeaderValue(10, 19));
        Assert.Equal(HttpStatusCode.PartialContent, middle.StatusCode);
        Assert.Equal(bytes[10..20], await middle.Content.ReadAsByteArrayAsync());
        Assert.Equal($"bytes 10-19/{bytes.Length}", middle.Content.Headers.ContentRange?.ToString());
        using var end = await SendAsync(HttpMethod.Get, system.VideoUrl, new RangeHeaderValue(null, 5));
        Assert.Equal(bytes[^5..], await end.Content.ReadAsByteArrayAsync());
        using var beyond = await SendAsync(HttpMethod.Get, system.VideoUrl, new RangeHeaderValue(bytes.Length + 1, null));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
    }

    [Fact]
    public async Task Head_and_conditional_requests_work()
    {
        using var head = await SendAsync(HttpMethod.Head, system.VideoUrl);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, system.VideoUrl) { Headers = { IfNoneMatch = { head.Headers.ETag! } } };
        using var http = new HttpClient();
        using var unchanged = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Fact]
    public async Task An_address_opens_one_file_and_nothing_else()
    {
        var token = new Uri(system.VideoUrl).Query;
        foreach (
            var path in new[]
            {
                system.VideoUrl.Replace("/videos/", "/thumbnails/", StringComparison.Ordinal),
                system.VideoUrl[..^2],
                $"{system.Url}/storage/v1/object/sign/{system.Name}",
                $"{system.Url}/storage/v1/object/sign/videos/../../keys/signing.pem{token}",
                $"{system.Url}/storage/v1/object/sign/videos/%2e%2e/%2e%2e/keys{token}",
                $"{system.Url}/storage/v1/object/sign/videos/{Guid.NewGuid()}/x.mp4{token}",
            }
        )
        {
            using var answer = await SendAsync(HttpMethod.Get, path);
            Assert.True(
                answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound,
                $"{path}: {answer.StatusCode}"
            );
        }
    }

    [Fact]
    public async Task The_owner_reads_it_with_a_token_and_nobody_else_does()
    {
        Assert.Equal(HttpStatusCode.OK, (await system.Keeper.Http.GetAsync($"/storage/v1/object/authenticated/{system.Name}")).StatusCode);
        var other = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await other.Http.GetAsync($"/storage/v1/object/authenticated/{system.Name}")).StatusCode);
        using var nobody = system.Anybody();
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync($"/storage/v1/object/authenticated/{system.Name}")).StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpMethod method, string url, RangeHeaderValue? range = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method, url);
        request.Headers.Range = range;
        return await http.SendAsync(request);
    }
}
