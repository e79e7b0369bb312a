using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.S3;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Storage;

/// <summary>What an upload puts on the wire, seen by a store that writes down what it is asked.</summary>
[Quick]
public sealed class S3UploadTests : IAsyncLifetime
{
    private const int Megabyte = 1024 * 1024;
    private readonly string _home = Path.Combine(TestCluster.Home, "upload-" + Guid.NewGuid().ToString("N")[..8]);
    private readonly ConcurrentQueue<(string Call, long Length, string Hash, string Encoding)> _seen = [];
    private WebApplication _service = null!;
    private S3FileStore _store = null!;
    private int? _refusedPart;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _service = WebApplication.CreateBuilder().Build();
        _service.Urls.Add(TestSystem.AnyPort);
        _service.Map("{**path}", AnswerAsync);
        await _service.StartAsync();
        _store = new(
            Options.Create(
                new StorageOptions
                {
                    Kind = "s3",
                    ServiceUrl = TestSystem.AddressOf(_service),
                    Bucket = "bucket",
                    AccessKey = "key",
                    SecretKey = "secret",
                    PartMegabytes = 5,
                    MaxRetries = 0,
                }
            ),
            Options.Create(new ServerOptions { DataDirectory = _home })
        );
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _store.Dispose();
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData(0, "PUT")]
    [InlineData(5 * Megabyte, "PUT")]
    [InlineData(11 * Megabyte, "POST, POST uploads, PUT 1, PUT 2, PUT 3")]
    public async Task Bodies_go_as_they_are_and_in_parts_only_when_they_are_large(int length, string calls)
    {
        await PutAsync(length);
        Assert.Equal(calls, string.Join(", ", _seen.Select(seen => seen.Call).Order(StringComparer.Ordinal)));
        var bodies = _seen.Where(seen => seen.Call.StartsWith("PUT", StringComparison.Ordinal)).ToList();
        Assert.Equal(length, bodies.Sum(body => body.Length));
        // A hash of the whole body, where the SDK would announce frames.
        Assert.All(bodies, body => Assert.Equal((64, ""), (body.Hash.Length, body.Encoding)));
        await _store.WriteMarkerAsync("an installation", TestContext.Current.CancellationToken);
        Assert.Equal(("PUT", 15, 64, ""), (_seen.Last().Call, _seen.Last().Length, _seen.Last().Hash.Length, _seen.Last().Encoding));
    }

    [Fact]
    public async Task An_upload_of_which_a_part_is_refused_is_given_up_at_the_store()
    {
        _refusedPart = 2;
        await Assert.ThrowsAsync<StorageException>(() => PutAsync(11 * Megabyte));
        // Whether the third part was begun before the second one was known to be refused is nobody's business.
        Assert.Contains("DELETE", _seen.Select(seen => seen.Call));
        Assert.DoesNotContain("POST", _seen.Select(seen => seen.Call));
    }

    private async Task PutAsync(int length)
    {
        var path = _store.NewTemporaryPath();
        await File.WriteAllBytesAsync(path, new byte[length]);
        await _store.PutAsync("videos", "u/one.mp4", path, "video/mp4", TestContext.Current.CancellationToken);
        Assert.False(File.Exists(path));
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, context.RequestAborted);
        var what = request.Query.ContainsKey("uploads") ? "uploads" : request.Query["partNumber"].ToString();
        _seen.Enqueue(
            ($"{request.Method} {what}".TrimEnd(), body.Length, request.Headers["x-amz-content-sha256"].ToString(), request.Headers.ContentEncoding.ToString())
        );
        context.Response.Headers.ETag = "\"1\"";
        context.Response.ContentType = "application/xml";
        if (request.Method == "PUT" && _refusedPart is { } refused && what == $"{refused}")
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("<Error><Code>InvalidRequest</Code><Message>no</Message></Error>");
        }
        else if (request.Method == "POST")
        {
            await context.Response.WriteAsync(
                what == "uploads"
                    ? "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
                    : "<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>"
            );
        }
        else if (request.Method == "DELETE")
        {
            context.Response.StatusCode = 204;
        }
    }
}
