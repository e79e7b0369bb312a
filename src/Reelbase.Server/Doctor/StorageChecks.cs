using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Doctor;

/// <summary>Whether files are where the database believes them, and whether more fit.</summary>
internal static class StorageChecks
{
    /// <summary>Checks; writes and removes one small file beside the others.</summary>
    public static async Task<IReadOnlyList<Finding>> ExamineAsync(WebApplicationBuilder builder, Facts facts)
    {
        var storage = SettingChecks.Of<StorageOptions>(builder, "Storage");
        var server = SettingChecks.Of<ServerOptions>(builder, "Server");
        if (storage.Kind != "local")
        {
            return [Finding.Ok("storage", $"files are in the bucket {storage.Bucket}; outside: storage says how it answers")];
        }
        var folder = Path.GetFullPath(Path.Combine(server.DataDirectory, LocalFileStore.FolderName));
        if (facts.StoreMarker is null)
        {
            return [Finding.Ok("storage", "no node has kept files yet")];
        }
        if (await LocalFileStore.ReadFolderMarkerAsync(server.DataDirectory, CancellationToken.None) != facts.StoreMarker)
        {
            return
            [
                Finding.Fault(
                    "storage",
                    "Server:DataDirectory",
                    StoreGuard.Refusal(server.DataDirectory),
                    "copy the former storage folder, or admin accept-storage"
                ),
            ];
        }
        return [await TryWriteAsync(server, folder), CheckSpace(storage, folder)];
    }

    private static async Task<Finding> TryWriteAsync(ServerOptions server, string folder)
    {
        try
        {
            var path = new LocalFileStore(Options.Create(server)).NewTemporaryPath();
            await PrivateFiles.WriteAsync(path, "doctor", CancellationToken.None);
            File.Delete(path);
            return Finding.Ok("storage", $"{folder} is this installation's and can be written");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Finding.Fault(
                "storage",
                "Server:DataDirectory",
                $"{folder} cannot be written: {error.Message}",
                "give it to the account that the server runs as"
            );
        }
    }

    private static Finding CheckSpace(StorageOptions storage, string folder)
    {
        var free = new DriveInfo(folder).AvailableFreeSpace / (1024 * 1024);
        return free < storage.MinFreeDiskMegabytes
            ? Finding.Fault(
                "storage",
                "Storage:MinFreeDiskMegabytes",
                $"{free} MB are free on the disk of {folder}, fewer than {storage.MinFreeDiskMegabytes}: uploads are refused and videos fetched later",
                "make room, or shorten Generation:RetentionDays"
            )
            : Finding.Ok("storage", $"{free} MB are free");
    }
}
