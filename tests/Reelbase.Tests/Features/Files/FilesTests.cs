using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Stored videos: whole, in pieces, and only for whom they are meant. On the local disk and in an S3-compatible store alike.</summary>
public abstract class FilesTests(FilesTests.WithVideo system)
{
    /// <summary>One finished video, read by every test.</summary>
    public class WithVideo : TestSystem
    {
        protected override bool HasMediaTools => true;

        protected override Dictionary<string, string?> Settings => new() { ["Files:OrphanMinutes"] = "0" };

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
        // A name of ours, whatever anybody calls the file.
        Assert.Matches("^inline; filename=\"?[\\w-]+\\.mp4\"?(; filename\\*=UTF-8''[\\w.-]+)?$", answer.Content.Headers.ContentDisposition?.ToString() ?? "");
        Assert.Contains("sandbox", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
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

    [Fact]
    public async Task An_address_ends_when_it_says_so()
    {
        var links = system.Server.Services.GetRequiredService<FileLinks>();
        var (bucket, name) = (system.Name.Split('/', 2)[0], system.Name.Split('/', 2)[1]);
        foreach (var (seconds, status) in new[] { (60, HttpStatusCode.OK), (-1, HttpStatusCode.Forbidden) })
        {
            var url = links.Address(new DefaultHttpContext(), bucket, name, DateTime.UtcNow.AddSeconds(seconds))!;
            using var answer = await SendAsync(HttpMethod.Get, url);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Nothing_is_public()
    {
        using var nobody = system.Anybody();
        foreach (var path in new[] { $"/storage/v1/object/public/{system.Name}", $"/storage/v1/object/{system.Name}", $"/storage/{system.Name}" })
        {
            using var answer = await nobody.GetAsync(path);
            Assert.True(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound, $"{path}: {answer.StatusCode}");
        }
    }

    [Fact]
    public async Task A_walk_through_the_store_reconciles_files_without_rows_and_rows_without_files()
    {
        await UtcTime.SameDayAsync();
        var store = system.Server.Services.GetRequiredService<IFileStore>();
        var reconciler = system.Server.Services.GetRequiredService<StorageReconciler>();
        var phone = await system.NewGuestAsync(100);
        var last = await phone.GenerateAndWatchAsync("To be lost");
        var name = new Uri(last.GetProperty("video_url").GetString()!).AbsolutePath.Split("/sign/videos/")[1];
        // Somebody removes a video by hand, and somebody else leaves things lying about.
        await store.DeleteAsync("videos", name, CancellationToken.None);
        foreach (var stray in new[] { "0/first.mp4", "nobody/orphan.mp4", "zzz/last.mp4" })
        {
            var path = store.NewTemporaryPath();
            await File.WriteAllTextAsync(path, "orphan");
            await store.PutAsync("videos", stray, path, "video/mp4", CancellationToken.None);
        }
        var (orphans, missing) = (0L, 0L);
        // A store may round times up: what was written just now is then of the next second.
        await Eventually.IsAsync(
            async () =>
            {
                var report = (await reconciler.RunAsync(DateTime.UtcNow.AddDays(1), CancellationToken.None))!;
                return (orphans += report.Orphans, missing += report.Missing);
            },
            repaired => repaired == (3L, 1L)
        );
        Assert.False(await store.ExistsAsync("videos", "nobody/orphan.mp4", CancellationToken.None));
        var status = await phone.GetAsync($"/get-video-status?job_id={last.GetProperty("job_id")}");
        Assert.Equal(System.Text.Json.JsonValueKind.Null, status["video_url"].ValueKind);
        Assert.NotNull(status["thumbnail_url"].GetString());
        Assert.Equal(["file_missing|1"], await system.RowsAsync("select kind, count(*) from alerts group by kind"));
        // And nothing else was touched.
        Assert.Equal(
            (0L, 0L),
            (await reconciler.RunAsync(DateTime.UtcNow.AddDays(1), CancellationToken.None))! is var again ? (again.Orphans, again.Missing) : default
        );
        using var other = await SendAsync(HttpMethod.Get, system.VideoUrl);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task A_deleted_job_takes_its_files_with_it()
    {
        var store = system.Server.Services.GetRequiredService<IFileStore>();
        var phone = await system.NewGuestAsync(100);
        var last = await phone.GenerateAndWatchAsync("To be deleted");
        var url = last.GetProperty("video_url").GetString()!;
        var name = new Uri(url).AbsolutePath.Split("/sign/videos/")[1];
        Assert.True(await store.ExistsAsync("videos", name, CancellationToken.None));
        await phone.PostAsync("/delete-video-job", new { job_id = last.GetProperty("job_id").GetString() });
        await Eventually.IsAsync(() => store.ExistsAsync("videos", name, CancellationToken.None), exists => !exists);
        using var gone = await SendAsync(HttpMethod.Get, url);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpMethod method, string url, RangeHeaderValue? range = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method, url);
        request.Headers.Range = range;
        return await http.SendAsync(request);
    }
}

/// <summary>On the local disk.</summary>
public sealed class LocalFilesTests(FilesTests.WithVideo system) : FilesTests(system), IClassFixture<FilesTests.WithVideo>;

/// <summary>In an S3-compatible store.</summary>
[Trait("Needs", "swift")]
public sealed class S3FilesTests(S3FilesTests.InSwift system) : FilesTests(system), IClassFixture<S3FilesTests.InSwift>
{
    /// <summary>The same, with its files in Swift.</summary>
    public sealed class InSwift : WithVideo
    {
        private readonly SwiftServer _swift = new();

        protected override Dictionary<string, string?> Settings =>
            new(base.Settings)
            {
                ["Storage:Kind"] = "s3",
                ["Storage:ServiceUrl"] = _swift.Url,
                ["Storage:Bucket"] = SwiftServer.Bucket,
                ["Storage:AccessKey"] = SwiftServer.AccessKey,
                ["Storage:SecretKey"] = SwiftServer.SecretKey,
            };

        public override async ValueTask InitializeAsync()
        {
            await _swift.InitializeAsync();
            await base.InitializeAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _swift.DisposeAsync();
        }
    }
}
