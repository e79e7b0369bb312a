using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Storage;

/// <summary>Files of users and secrets on disk are their owner's alone, from the moment that they exist.</summary>
public sealed class PrivateFilesTests
{
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateFolder = PrivateFile | UnixFileMode.UserExecute;

    [Fact]
    public async Task Videos_thumbnails_and_their_folders_are_their_owners_alone()
    {
        await using var own = new WithPictures();
        await own.InitializeAsync();
        var phone = await own.NewGuestAsync(100);
        Assert.Equal("completed", (await phone.GenerateAndWatchAsync("Nobody else may read this")).GetProperty("status").GetString());
        var storage = new DirectoryInfo(Path.Combine(own.DataDirectory, "storage"));
        var files = storage.GetFiles("*", SearchOption.AllDirectories);
        Assert.Contains(files, file => file.FullName.Contains("/videos/", StringComparison.Ordinal));
        Assert.Contains(files, file => file.FullName.Contains("/thumbnails/", StringComparison.Ordinal));
        Assert.All(files, file => Assert.Equal((file.FullName, PrivateFile), (file.FullName, file.UnixFileMode)));
        Assert.All(
            storage.GetDirectories("*", SearchOption.AllDirectories).Append(storage),
            folder => Assert.Equal((folder.FullName, PrivateFolder), (folder.FullName, folder.UnixFileMode))
        );
        var keys = new DirectoryInfo(Path.Combine(own.DataDirectory, "keys"));
        Assert.Equal(PrivateFolder, keys.UnixFileMode);
        Assert.All(keys.GetFiles(), file => Assert.Equal((file.Name, PrivateFile), (file.Name, file.UnixFileMode)));
    }

    [Fact]
    public async Task What_somebody_put_there_with_other_rights_is_private_in_the_store_and_an_older_store_is_closed_at_start()
    {
        var home = Path.Combine(TestCluster.Home, "open-" + Guid.NewGuid().ToString("N")[..8]);
        var folder = Directory.CreateDirectory(Path.Combine(home, "storage"));
        folder.UnixFileMode = PrivateFolder | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        var store = new LocalFileStore(Options.Create(new ServerOptions { DataDirectory = home }));
        folder.Refresh();
        Assert.Equal(PrivateFolder, folder.UnixFileMode);
        var source = store.NewTemporaryPath();
        await File.WriteAllTextAsync(source, "a video");
        File.SetUnixFileMode(source, PrivateFile | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        await store.PutAsync("videos", "a/b/c.mp4", source, "video/mp4", CancellationToken.None);
        Assert.Equal(PrivateFile, File.GetUnixFileMode(Path.Combine(home, "storage", "videos", "a", "b", "c.mp4")));
        Assert.Equal(PrivateFolder, File.GetUnixFileMode(Path.Combine(home, "storage", "videos", "a", "b")));
        Assert.Equal(PrivateFolder, File.GetUnixFileMode(Path.Combine(home, "storage", "videos")));
        await store.WriteMarkerAsync("an installation", CancellationToken.None);
        Assert.All(Directory.GetFiles(folder.FullName), file => Assert.Equal(PrivateFile, File.GetUnixFileMode(file)));
        Directory.Delete(home, recursive: true);
    }

    [Fact]
    public void Secrets_are_created_with_their_rights_and_not_given_them_afterwards() =>
        Assert.Empty(
            from file in Repository.Files("src", "*.cs")
            let text = File.ReadAllText(file)
            where !file.EndsWith("/PrivateFiles.cs", StringComparison.Ordinal) && text.Contains("SetUnixFileMode", StringComparison.Ordinal)
            select file
        );

    private sealed class WithPictures : TestSystem
    {
        protected override bool HasMediaTools => true;
    }
}
