using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Users bring pictures, by requests shaped as the shipped app's and its SDK's. On the local disk and in an S3-compatible store alike.</summary>
public abstract partial class UploadTests(UploadTests.Prepared system)
{
    /// <summary>The product.</summary>
    protected Prepared Installation => system;

    /// <summary>Pictures may have one megabyte here.</summary>
    public class Prepared : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Uploads:MaxMegabytes"] = "1", ["Files:OrphanMinutes"] = "60" };
    }

    [Fact]
    public async Task The_shipped_apps_upload_is_taken_and_read_back_in_upper_and_lower_case()
    {
        var phone = await system.NewGuestAsync();
        var bytes = Pictures.Jpeg();
        // Swift writes ids in upper case; the app sends no x-upsert and builds the public address by itself.
        var name = $"thumbnails/{phone.UserId.ToString().ToUpperInvariant()}/input_{Guid.NewGuid().ToString().ToUpperInvariant()}.jpg";
        var answer = await SendAsync(phone, HttpMethod.Post, name, bytes, "image/jpeg", ("apikey", AnonKey));
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(name, answer["Key"].GetString());
        Assert.True(answer["Id"].TryGetGuid(out _));
        using var nobody = system.Anybody();
        foreach (var written in new[] { name, name.Replace(phone.UserId.ToString().ToUpperInvariant(), phone.UserId.ToString(), StringComparison.Ordinal) })
        {
            using var read = await nobody.GetAsync($"/storage/v1/object/public/{written}");
            Assert.Equal(HttpStatusCode.OK, read.StatusCode);
            Assert.Equal("image/jpeg", read.Content.Headers.ContentType?.ToString());
            Assert.Equal(bytes, await read.Content.ReadAsByteArrayAsync());
            Assert.Equal("nosniff", read.Headers.GetValues("X-Content-Type-Options").Single());
        }
        var own = await phone.Http.GetAsync($"/storage/v1/object/{name}");
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }

    [Theory]
    [InlineData("image/jpg")]
    [InlineData("text/html")]
    [InlineData("image/png")]
    [InlineData("text/plain;charset=UTF-8")]
    [InlineData("")]
    public async Task The_bytes_say_what_a_picture_is_and_not_the_content_type(string declared)
    {
        var phone = await system.NewGuestAsync();
        var name = $"uploads/{phone.UserId}/a picture.html";
        var answer = await SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(), declared);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        using var read = await phone.Http.GetAsync($"/storage/v1/object/authenticated/{name}");
        Assert.Equal("image/jpeg", read.Content.Headers.ContentType?.ToString());
        Assert.EndsWith("sandbox", read.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_kind_of_picture_is_served_as_what_it_is_also_heic_in_disguise()
    {
        var phone = await system.NewGuestAsync();
        foreach (
            var (bytes, type) in new[]
            {
                (Pictures.Png(), "image/png"),
                (Pictures.Webp(), "image/webp"),
                (Pictures.Gif(), "image/gif"),
                (Pictures.Heic(), "image/heic"),
            }
        )
        {
            var name = $"uploads/{phone.UserId}/{type[6..]}.jpg";
            var answer = await SendAsync(phone, HttpMethod.Post, name, bytes, "image/jpeg");
            Assert.True(answer.Status == HttpStatusCode.OK, $"{type}: {answer.Text}");
            using var read = await phone.Http.GetAsync($"/storage/v1/object/{name}");
            Assert.Equal(type, read.Content.Headers.ContentType?.ToString());
        }
    }

    [Fact]
    public async Task What_is_no_picture_is_refused_with_415_and_leaves_nothing()
    {
        var phone = await system.NewGuestAsync();
        foreach (
            var bytes in new[]
            {
                "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"u8.ToArray(),
                "<!doctype html><script>alert(1)</script>-----------------------------------"u8.ToArray(),
                Pictures.Jpeg()[..30],
                [.. Pictures.Jpeg()[..4], .. new byte[100]],
                Pictures.Png()[..40],
                Pictures.Heic()[..40],
                [0, 0, 0, 24, .. "ftypavif"u8, .. new byte[200]],
                [],
                Pictures.Jpeg(0, 480),
            }
        )
        {
            var answer = await SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/{Guid.NewGuid()}.jpg", bytes, "image/jpeg");
            AssertRefused(answer, 415, "invalid_mime_type");
        }
        // Small files that would be enormous pictures.
        foreach (
            var bomb in new[] { Pictures.Png(100_000, 10), Pictures.Png(16_000, 16_000), Pictures.Heic(uint.MaxValue, uint.MaxValue), Pictures.Jpeg(65_000, 2) }
        )
        {
            AssertRefused(await SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/bomb.png", bomb, "image/png"), 413, "Payload too large");
        }
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from storage_objects where user_id = '{phone.UserId}'"));
        Assert.Empty(Directory.GetFiles(system.DataDirectory, $"{Environment.MachineName}-*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Boxes_in_boxes_without_end_are_refused_and_nothing_falls_over()
    {
        var phone = await system.NewGuestAsync();
        byte[] nested = [];
        for (var depth = 0; depth < 5000; depth++)
        {
            nested =
            [
                .. BitConverter.GetBytes(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((uint)nested.Length + 12)),
                .. "meta"u8,
                0,
                0,
                0,
                0,
                .. nested,
            ];
        }
        var answer = await SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/deep.heic", [.. Pictures.Heic()[..24], .. nested], "image/heic");
        AssertRefused(answer, 415, "invalid_mime_type");
    }

    [Theory]
    [InlineData("form-data; name=\"\"; filename=\"photo.jpg\"")]
    [InlineData("form-data; filename=\"photo.jpg\"")]
    [InlineData("form-data; name=\"\"")]
    [InlineData("form-data; name=\"file\"; filename=\"photo.jpg\"")]
    public async Task A_form_is_taken_however_its_file_is_called(string disposition)
    {
        var phone = await system.NewGuestAsync();
        var name = $"uploads/{phone.UserId}/form.jpg";
        var bytes = Pictures.Jpeg(padding: 70_000);
        byte[] body =
        [
            .. Encoding.ASCII.GetBytes("--b\r\nContent-Disposition: form-data; name=\"cacheControl\"\r\n\r\n120\r\n"),
            .. Encoding.ASCII.GetBytes("--b\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{}\r\n"),
            .. Encoding.ASCII.GetBytes($"--b\r\nContent-Disposition: {disposition}\r\nContent-Type: image/jpg\r\n\r\n"),
            .. bytes,
            .. Encoding.ASCII.GetBytes("\r\n--b--\r\n"),
        ];
        var answer = await SendAsync(phone, HttpMethod.Post, name, body, "multipart/form-data; boundary=b");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        using var read = await phone.Http.GetAsync($"/storage/v1/object/{name}");
        Assert.Equal(bytes, await read.Content.ReadAsByteArrayAsync());
        Assert.Equal("max-age=120, private", read.Headers.CacheControl?.ToString());
    }

    [Theory]
    [InlineData("multipart/form-data", "--b--\r\n")]
    [InlineData("multipart/form-data; boundary=b", "")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nonly a field\r\n--b--\r\n")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nbroken")]
    public async Task A_broken_form_is_400(string type, string body)
    {
        var phone = await system.NewGuestAsync();
        AssertRefused(await SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/x.jpg", Encoding.ASCII.GetBytes(body), type), 400, "InvalidRequest");
    }

    [Fact]
    public async Task Folders_are_their_owners_alone_with_true_401_and_403()
    {
        var (ada, ben) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        var name = $"uploads/{ben.UserId}/mine.jpg";
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(ben, HttpMethod.Post, name, Pictures.Jpeg(), "image/jpeg")).Status);
        AssertRefused(await SendAsync(ada, HttpMethod.Post, name, Pictures.Jpeg(), "image/jpeg"), 403, "Unauthorized");
        AssertRefused(await SendAsync(ada, HttpMethod.Put, name, Pictures.Jpeg(), "image/jpeg"), 403, "Unauthorized");
        foreach (var folder in new[] { "user-placeholder-id", Guid.NewGuid().ToString(), "" })
        {
            var answer = await SendAsync(ada, HttpMethod.Post, $"thumbnails/{folder}{(folder.Length > 0 ? "/" : "")}x.jpg", Pictures.Jpeg(), "image/jpeg");
            AssertRefused(answer, 403, "Unauthorized");
        }
        foreach (
            var (path, method) in new[]
            {
                ($"/storage/v1/object/{name}", "GET"),
                ($"/storage/v1/object/authenticated/{name}", "GET"),
                ($"/storage/v1/object/public/{name}", "GET"),
                ($"/storage/v1/object/info/{name}", "GET"),
            }
        )
        {
            using var request = new HttpRequestMessage(new(method), path);
            AssertRefused(await ApiResponse.ReadAsync(await ada.Http.SendAsync(request)), 404, "not_found");
        }
        Assert.Empty((await ada.PostAsync("/storage/v1/object/list/uploads", new { prefix = ben.UserId.ToString() })).Json.EnumerateArray());
        Assert.Empty((await DeleteAsync(ada, "uploads", $"{ben.UserId}/mine.jpg")).Json.EnumerateArray());
        AssertRefused(await ada.PostAsync($"/storage/v1/object/sign/{name}", new { expiresIn = 60 }), 404, "not_found");
        AssertRefused(
            await ada.PostAsync(
                "/storage/v1/object/move",
                new
                {
                    bucketId = "uploads",
                    sourceKey = $"{ben.UserId}/mine.jpg",
                    destinationKey = $"{ada.UserId}/yours.jpg",
                }
            ),
            404,
            "not_found"
        );
        foreach (var token in new[] { null, AnonKey, "garbage" })
        {
            using var http = system.Anybody();
            http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            using var content = new ByteArrayContent(Pictures.Jpeg()) { Headers = { ContentType = new("image/jpeg") } };
            AssertRefused(await ApiResponse.ReadAsync(await http.PostAsync($"/storage/v1/object/uploads/{ben.UserId}/x.jpg", content)), 401, "Unauthorized");
        }
        using var still = await ben.Http.GetAsync($"/storage/v1/object/{name}");
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Fact]
    public async Task A_name_is_taken_once_and_replaced_on_demand_and_the_old_file_goes()
    {
        var phone = await system.NewGuestAsync();
        var name = $"uploads/{phone.UserId}/again.jpg";
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(), "image/jpeg")).Status);
        var old = await system.QueryAsync<string>($"select name from storage_objects where user_id = '{phone.UserId}'");
        AssertRefused(await SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(), "image/jpeg"), 409, "Duplicate");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(phone, HttpMethod.Post, name, Pictures.Png(), "image/png", ("x-upsert", "true"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(phone, HttpMethod.Put, name, Pictures.Webp(), "image/png")).Status);
        using var read = await phone.Http.GetAsync($"/storage/v1/object/{name}");
        Assert.Equal(Pictures.Webp(), await read.Content.ReadAsByteArrayAsync());
        var store = system.Server.Services.GetRequiredService<IFileStore>();
        await Eventually.IsAsync(() => store.ExistsAsync("pictures", old, CancellationToken.None), exists => !exists);
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from storage_objects where user_id = '{phone.UserId}'"), rows => rows == 1);
    }

    [Fact]
    public async Task Twenty_uploads_of_one_name_at_once_leave_one_file()
    {
        var phone = await system.NewGuestAsync();
        var name = $"uploads/{phone.UserId}/race.jpg";
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(at => SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(100 + at), "image/jpeg", ("x-upsert", at % 2 == 0 ? "true" : "false")))
        );
        Assert.All(answers, answer => Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.Conflict, answer.Text));
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from storage_objects where user_id = '{phone.UserId}'"), rows => rows == 1);
        using var read = await phone.Http.GetAsync($"/storage/v1/object/{name}");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
    }

    [Fact]
    public async Task Ranges_conditions_and_head_work_on_pictures()
    {
        var phone = await system.NewGuestAsync();
        var name = $"uploads/{phone.UserId}/range.jpg";
        var bytes = Pictures.Jpeg(padding: 1000);
        await SendAsync(phone, HttpMethod.Post, name, bytes, "image/jpeg");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/storage/v1/object/{name}") { Headers = { Range = new(10, 19) } };
        using var part = await phone.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(bytes[10..20], await part.Content.ReadAsByteArrayAsync());
        using var head = new HttpRequestMessage(HttpMethod.Head, $"/storage/v1/object/{name}");
        using var exists = await phone.Http.SendAsync(head);
        Assert.Equal((HttpStatusCode.OK, (long?)bytes.Length), (exists.StatusCode, exists.Content.Headers.ContentLength));
        using var again = new HttpRequestMessage(HttpMethod.Get, $"/storage/v1/object/{name}") { Headers = { IfNoneMatch = { exists.Headers.ETag! } } };
        Assert.Equal(HttpStatusCode.NotModified, (await phone.Http.SendAsync(again)).StatusCode);
        using var missing = new HttpRequestMessage(HttpMethod.Head, $"/storage/v1/object/{name}x");
        Assert.Equal(HttpStatusCode.NotFound, (await phone.Http.SendAsync(missing)).StatusCode);
        using var saved = await phone.Http.GetAsync($"/storage/v1/object/{name}?download=my%20picture.jpg");
        Assert.Contains("attachment", saved.Content.Headers.ContentDisposition!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_too_large_is_413_in_the_storage_shape()
    {
        var phone = await system.NewGuestAsync();
        var name = $"uploads/{phone.UserId}/large.jpg";
        AssertRefused(await SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(padding: 1_200_000), "image/jpeg"), 413, "Payload too large");
        AssertRefused(await SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(padding: 1024 * 1024), "image/jpeg"), 413, "Payload too large");
        // Of unknown length.
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/storage/v1/object/{name}")
        {
            Content = new StreamContent(new MemoryStream(Pictures.Jpeg(padding: 1_200_000))) { Headers = { ContentType = new("image/jpeg") } },
            Headers = { TransferEncodingChunked = true },
        };
        AssertRefused(await ApiResponse.ReadAsync(await phone.Http.SendAsync(request)), 413, "Payload too large");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(padding: 1_000_000), "image/jpeg")).Status);
    }

    [Theory]
    [InlineData("uploads", "../x.jpg", 400)]
    [InlineData("uploads", "a//b.jpg", 400)]
    [InlineData("uploads", "a%2Fb.jpg", 400)]
    [InlineData("uploads", "%C3%A4.jpg", 400)]
    [InlineData("uploads", "a%5Cb.jpg", 400)]
    [InlineData("nowhere", "x.jpg", 404)]
    [InlineData("pictures", "x.jpg", 404)]
    [InlineData("videos", "x.jpg", 403)]
    public async Task Names_that_nothing_may_have_are_refused(string bucket, string path, int status)
    {
        var phone = await system.NewGuestAsync();
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri(
                $"{system.Url}/storage/v1/object/{bucket}/{phone.UserId}/{path}",
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
            )
        )
        {
            Content = new ByteArrayContent(Pictures.Jpeg()),
        };
        var answer = await ApiResponse.ReadAsync(await phone.Http.SendAsync(request));
        // A path that leads upwards is resolved by the server before any route: then it is nobody's folder.
        Assert.True(
            (int)answer.Status == status || (path.StartsWith("..", StringComparison.Ordinal) && (int)answer.Status is 403 or 404),
            $"{(int)answer.Status} {answer.Text}"
        );
        Assert.Equal(((int)answer.Status).ToString(System.Globalization.CultureInfo.InvariantCulture), answer["statusCode"].GetString());
    }

    [Fact]
    [Trait("Needs", "node")]
    public async Task Supabases_own_client_is_satisfied()
    {
        var output = await NodeJs.RunAsync(
            new()
            {
                ["SERVER_URL"] = system.Url,
                ["ANON_KEY"] = AnonKey,
                ["JPEG"] = Convert.ToBase64String(Pictures.Jpeg(padding: 50_000)),
                ["PNG"] = Convert.ToBase64String(Pictures.Png()),
            },
            "--test",
            "--test-reporter=tap",
            "supabase-storage.test.mjs"
        );
        Assert.Contains("# pass 14\n", output, StringComparison.Ordinal);
    }

    private string AnonKey => system.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();

    internal static void AssertRefused(ApiResponse answer, int status, string error)
    {
        Assert.True((int)answer.Status == status, $"{(int)answer.Status} {answer.Text}");
        Assert.Equal(status.ToString(System.Globalization.CultureInfo.InvariantCulture), answer["statusCode"].GetString());
        Assert.Equal(error, answer["error"].GetString());
        Assert.NotEmpty(answer["message"].GetString()!);
    }

    internal static async Task<ApiResponse> SendAsync(Phone phone, HttpMethod method, string name, byte[] bytes, string type, params (string, string)[] headers)
    {
        using var request = new HttpRequestMessage(method, $"/storage/v1/object/{name}") { Content = new ByteArrayContent(bytes) };
        if (type.Length > 0)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        foreach (var (header, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }
        return await ApiResponse.ReadAsync(await phone.Http.SendAsync(request));
    }

    private static async Task<ApiResponse> DeleteAsync(Phone phone, string bucket, params string[] names)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/storage/v1/object/{bucket}")
        {
            Content = JsonContent.Create(new { prefixes = names }),
        };
        return await ApiResponse.ReadAsync(await phone.Http.SendAsync(request));
    }
}

/// <summary>On the local disk.</summary>
public sealed class LocalUploadTests(UploadTests.Prepared system) : UploadTests(system), IClassFixture<UploadTests.Prepared>
{
    [Fact]
    public async Task A_picture_is_its_owners_alone_on_the_disk()
    {
        var phone = await Installation.NewGuestAsync();
        await SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/private.jpg", Pictures.Jpeg(), "image/jpeg");
        var name = await Installation.QueryAsync<string>($"select name from storage_objects where user_id = '{phone.UserId}'");
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite,
            File.GetUnixFileMode(Path.Combine(Installation.DataDirectory, "storage", "pictures", name))
        );
    }
}

/// <summary>In an S3-compatible store.</summary>
[Trait("Needs", "swift")]
public sealed class S3UploadTests(S3UploadTests.InSwift system) : UploadTests(system), IClassFixture<S3UploadTests.InSwift>
{
    /// <summary>The same, with its files in Swift.</summary>
    public sealed class InSwift : Prepared
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
