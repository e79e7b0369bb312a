using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.S3;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Storage;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Storage;

/// <summary>What every store must do. The local disk and the S3-compatible one run the same tests.</summary>
public abstract class FileStoreTests : IDisposable
{
    private const int Megabyte = 1024 * 1024;

    protected string Home { get; } = Path.Combine(TestCluster.Home, "store-" + Guid.NewGuid().ToString("N")[..8]);

    protected abstract IFileStore Store { get; }

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300_000)]
    [InlineData(12 * Megabyte + 17)]
    public async Task What_is_put_is_what_is_read(int length)
    {
        var bytes = await PutAsync("videos", $"u/{length}.mp4", length);
        await using var stream = await Store.OpenAsync("videos", $"u/{length}.mp4", None);
        Assert.Equal(length, stream!.Length);
        Assert.Equal(bytes, await ReadAsync(stream));
    }

    [Fact]
    public async Task Putting_moves_the_file_and_putting_again_replaces_it()
    {
        await PutAsync("videos", "u/again.mp4", 1000);
        var path = Store.NewTemporaryPath();
        await File.WriteAllTextAsync(path, "another");
        await Store.PutAsync("videos", "u/again.mp4", path, "video/mp4", None);
        Assert.False(File.Exists(path));
        await using var stream = await Store.OpenAsync("videos", "u/again.mp4", None);
        Assert.Equal("another"u8.ToArray(), await ReadAsync(stream!));
    }

    [Fact]
    public async Task Any_part_of_a_file_can_be_read()
    {
        var bytes = await PutAsync("videos", "u/parts.mp4", 9 * Megabyte);
        await using var stream = await Store.OpenAsync("videos", "u/parts.mp4", None);
        foreach (var (start, length) in new[] { (0, 10), (8 * Megabyte - 5, 10), (9 * Megabyte - 7, 7), (123_456, 100_000), (0, 1) })
        {
            stream!.Seek(start, SeekOrigin.Begin);
            var part = new byte[length];
            await stream.ReadExactlyAsync(part);
            Assert.Equal(bytes[start..(start + length)], part);
            Assert.Equal(start + length, stream.Position);
        }
        stream!.Seek(0, SeekOrigin.End);
        Assert.Equal(0, await stream.ReadAsync(new byte[10]));
    }

    [Fact]
    public async Task What_is_not_there_is_null_and_its_removal_no_error()
    {
        Assert.Null(await Store.OpenAsync("videos", "u/nothing.mp4", None));
        Assert.False(await Store.ExistsAsync("videos", "u/nothing.mp4", None));
        await Store.DeleteAsync("videos", "u/nothing.mp4", None);
        await Store.DeleteAsync("videos", "nobody/nothing.mp4", None);
    }

    [Fact]
    public async Task A_removed_file_is_gone()
    {
        await PutAsync("thumbnails", "u/gone.jpg", 100);
        Assert.True(await Store.ExistsAsync("thumbnails", "u/gone.jpg", None));
        await Store.DeleteAsync("thumbnails", "u/gone.jpg", None);
        Assert.False(await Store.ExistsAsync("thumbnails", "u/gone.jpg", None));
        Assert.Null(await Store.OpenAsync("thumbnails", "u/gone.jpg", None));
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("u/../../../secret")]
    [InlineData("u/../../keys/signing.pem")]
    public async Task No_name_leads_out_of_the_store(string name)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.OpenAsync("videos", name, None));
        var path = Store.NewTemporaryPath();
        await File.WriteAllTextAsync(path, "x");
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutAsync("videos", name, path, "video/mp4", None));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync("videos", name, None));
    }

    [Fact]
    public async Task All_files_are_listed_in_byte_order_with_their_sizes()
    {
        string[] names = ["a/b.mp4", "a-b/c.mp4", "a.mp4", "B/a.mp4", "b/a.mp4", "b/a/z.mp4", "z/1.mp4"];
        foreach (var name in names)
        {
            await PutAsync("videos", "list/" + name, 11);
        }
        await PutAsync("thumbnails", "list/1.jpg", 5);
        var all = new List<StoredFile>();
        await foreach (var file in Store.ListAsync("", "", None))
        {
            all.Add(file);
        }
        Assert.Equal(all.Select(file => $"{file.Bucket}/{file.Name}").Order(StringComparer.Ordinal), all.Select(file => $"{file.Bucket}/{file.Name}"));
        Assert.Equal(
            names.Select(name => "list/" + name).Order(StringComparer.Ordinal),
            all.Where(file => file.Bucket == "videos" && file.Name.StartsWith("list/", StringComparison.Ordinal)).Select(file => file.Name)
        );
        Assert.Contains(all, file => file is { Bucket: "thumbnails", Name: "list/1.jpg", SizeBytes: 5 } && file.ModifiedAt > DateTime.UtcNow.AddMinutes(-5));
    }

    [Fact]
    public async Task A_writer_that_breaks_off_leaves_nothing_to_read()
    {
        var path = Store.NewTemporaryPath();
        await File.WriteAllBytesAsync(path, new byte[20 * Megabyte]);
        using var brokenOff = new CancellationTokenSource();
        await brokenOff.CancelAsync();
        // A rename cannot be broken off; a transfer can. Either way readers see all of it or nothing.
        var error = await Record.ExceptionAsync(() => Store.PutAsync("videos", "u/broken.mp4", path, "video/mp4", brokenOff.Token));
        await using var stream = await Store.OpenAsync("videos", "u/broken.mp4", None);
        Assert.Equal(error is null ? 20 * Megabyte : null, stream?.Length);
    }

    [Fact]
    public async Task The_sweep_takes_what_the_dead_have_left_and_leaves_what_is_being_made()
    {
        var mine = Store.NewTemporaryPath();
        await File.WriteAllTextAsync(mine, "in the making");
        var folder = Path.GetDirectoryName(mine)!;
        // No process has this number: it is beyond the system's largest.
        var left = Path.Combine(folder, $"{Environment.MachineName}-2000000000-x");
        var old = Path.Combine(folder, "another-machine-17-y");
        var others = Path.Combine(folder, "another-machine-18-z");
        foreach (var file in new[] { left, old, others })
        {
            await File.WriteAllTextAsync(file, "left");
        }
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddHours(-2));
        await Store.SweepAsync(TimeSpan.FromHours(1), None);
        Assert.Equal([true, false, false, true], new[] { mine, left, old, others }.Select(File.Exists));
    }

    public virtual void Dispose()
    {
        (Store as IDisposable)?.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task<byte[]> PutAsync(string bucket, string name, int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var path = Store.NewTemporaryPath();
        await File.WriteAllBytesAsync(path, bytes);
        await Store.PutAsync(bucket, name, path, bucket == "videos" ? "video/mp4" : "image/jpeg", None);
        return bytes;
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var memory = new MemoryStream();
        await stream.CopyToAsync(memory);
        return memory.ToArray();
    }
}

/// <summary>The local disk.</summary>
public sealed class LocalFileStoreTests : FileStoreTests
{
    private LocalFileStore? _store;

    protected override IFileStore Store => _store ??= new LocalFileStore(Options.Create(new ServerOptions { DataDirectory = Home }));

    [Fact]
    public async Task What_the_file_system_keeps_for_itself_is_no_bucket()
    {
        var path = Store.NewTemporaryPath();
        await File.WriteAllTextAsync(path, "a video");
        await Store.PutAsync("videos", "u/one.mp4", path, "video/mp4", CancellationToken.None);
        var own = Directory.CreateDirectory(Path.Combine(Home, "storage", "lost+found")).FullName;
        await File.WriteAllTextAsync(Path.Combine(own, "#123"), "a find");
        var seen = new List<string>();
        await foreach (var file in Store.ListAsync("", "", CancellationToken.None))
        {
            seen.Add(file.Bucket);
        }
        Assert.Equal(["videos"], seen);
    }
}

/// <summary>An S3-compatible store that checks signatures.</summary>
[Trait("Needs", "swift")]
public sealed class S3FileStoreTests(SwiftServer swift) : FileStoreTests, IClassFixture<SwiftServer>
{
    private S3FileStore? _store;

    protected override IFileStore Store => _store ??= New();

    [Fact]
    public async Task A_wrong_secret_is_refused_by_the_store_and_nothing_is_written()
    {
        using var forger = New(secret: "guessed");
        var path = forger.NewTemporaryPath();
        await File.WriteAllTextAsync(path, "forged");
        var error = await Assert.ThrowsAsync<StorageException>(() => forger.PutAsync("videos", "u/forged.mp4", path, "video/mp4", CancellationToken.None));
        Assert.Contains("403", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("guessed", error.ToString(), StringComparison.Ordinal);
        Assert.False(await Store.ExistsAsync("videos", "u/forged.mp4", CancellationToken.None));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task Without_a_signature_nothing_can_be_read()
    {
        var path = Store.NewTemporaryPath();
        await File.WriteAllTextAsync(path, "private");
        await Store.PutAsync("videos", "u/private.mp4", path, "video/mp4", CancellationToken.None);
        using var http = new HttpClient();
        using var answer = await http.GetAsync($"{swift.Url}/{SwiftServer.Bucket}/videos/u/private.mp4");
        Assert.False(answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_store_that_is_away_is_a_storage_exception()
    {
        using var nobody = LoopbackAddress.Hold();
        using var away = New(url: nobody.Url);
        await Assert.ThrowsAsync<StorageException>(() => away.OpenAsync("videos", "u/x.mp4", CancellationToken.None));
        await Assert.ThrowsAsync<StorageException>(() => away.DeleteAsync("videos", "u/x.mp4", CancellationToken.None));
    }

    [Fact]
    public async Task A_prefix_keeps_installations_apart_in_one_bucket()
    {
        using var one = New(prefix: "one/");
        using var two = New(prefix: "two/");
        var path = one.NewTemporaryPath();
        await File.WriteAllTextAsync(path, "one's");
        await one.PutAsync("videos", "u/x.mp4", path, "video/mp4", CancellationToken.None);
        Assert.True(await one.ExistsAsync("videos", "u/x.mp4", CancellationToken.None));
        Assert.False(await two.ExistsAsync("videos", "u/x.mp4", CancellationToken.None));
        await foreach (var file in two.ListAsync("", "", CancellationToken.None))
        {
            Assert.Fail($"two sees {file}");
        }
    }

    private S3FileStore New(string secret = SwiftServer.SecretKey, string? url = null, string prefix = "") =>
        new(
            Options.Create(
                new StorageOptions
                {
                    Kind = "s3",
                    ServiceUrl = url ?? swift.Url,
                    Bucket = SwiftServer.Bucket,
                    AccessKey = SwiftServer.AccessKey,
                    SecretKey = secret,
                    Prefix = prefix,
                    PartMegabytes = 5,
                    // The busy store of a busy machine asks for a pause.
                    MaxRetries = url is null ? 5 : 0,
                }
            ),
            Options.Create(new ServerOptions { DataDirectory = Home })
        );
}
