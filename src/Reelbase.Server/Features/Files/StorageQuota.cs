using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Files;

/// <summary>Whether there is room for files: on this node's disk, and under the bound for the pictures of all users. What is short is an alert, once a day.</summary>
public sealed class StorageQuota(
    ApiDatabase api,
    IFileStore files,
    IOptions<StorageOptions> storage,
    IOptions<UploadsOptions> uploads,
    TimeProvider clock,
    ILogger<StorageQuota> logger
)
{
    /// <summary><c>details.reason</c> of a refusal for want of disk.</summary>
    public const string DiskShort = "disk_short";

    /// <summary><c>details.reason</c> of a refusal by the bound over the installation.</summary>
    public const string UploadsFull = "uploads_full";

    private const int Megabyte = 1024 * 1024;

    private DateTime _diskReported;
    private DateTime _fullReported;
    private DateTime _uploadsReported;

    /// <summary>Whether the disk of files in the making has less room than it should.</summary>
    public bool IsDiskShort => storage.Value.MinFreeDiskMegabytes is var min and > 0 && FreeMegabytes() < min;

    /// <summary>The same; and then the operator gets to know.</summary>
    public async Task<bool> IsDiskShortAsync(RoleDatabase database)
    {
        var min = storage.Value.MinFreeDiskMegabytes;
        if (min == 0 || FreeMegabytes() is var free && free >= min)
        {
            return false;
        }
        if (_diskReported != Today)
        {
            logger.LogError("The disk has {Free} MB free and needs {Min}: uploads are refused and finished videos are fetched later", free, min);
            await ReportAsync(database, "disk", Environment.MachineName, free, min);
            _diskReported = Today;
        }
        return true;
    }

    /// <summary>Refuses an upload while the disk is short.</summary>
    /// <exception cref="ApiException">ERR_6002.</exception>
    public async Task RequireDiskAsync(RoleDatabase database)
    {
        if (await IsDiskShortAsync(database))
        {
            throw new ApiException(ErrorCodes.StorageUnavailable, new { reason = DiskShort });
        }
    }

    /// <summary>The disk was full while a file was written, whatever it had free before: the operator gets to know.</summary>
    public async Task ReportFullAsync(RoleDatabase database)
    {
        if (_fullReported != Today)
        {
            await ReportAsync(database, "disk_full", Environment.MachineName, FreeMegabytes(), storage.Value.MinFreeDiskMegabytes);
            _fullReported = Today;
        }
    }

    /// <summary>Writes a file of an upload; a disk that is full in the middle of it refuses as one that was short before.</summary>
    /// <exception cref="ApiException">ERR_6002.</exception>
    public async Task<T> WritingAsync<T>(Func<Task<T>> write)
    {
        try
        {
            return await write();
        }
        catch (IOException full) when (PrivateFiles.IsDiskFull(full))
        {
            await ReportFullAsync(api);
            throw new ApiException(ErrorCodes.StorageUnavailable, new { reason = DiskShort }, full);
        }
    }

    /// <summary>A call that the installation's bound may refuse; a refusal is reported.</summary>
    public async Task<T> FittingAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (PostgresException refused)
            when (refused.SqlState == "RB001"
                && DatabaseErrors.Translate(refused) is { Code: ErrorCodes.StorageUnavailable }
                && uploads.Value.InstallationBytes is { } bound
            )
        {
            if (_uploadsReported != Today)
            {
                await ReportAsync(api, "uploads", null, null, bound / Megabyte);
                _uploadsReported = Today;
            }
            throw;
        }
    }

    private DateTime Today => clock.GetUtcNow().Date;

    private static Task ReportAsync(RoleDatabase database, string what, string? where, long? megabytes, long bound) =>
        database.ExecuteAsync("select report_storage_shortage($1, $2, $3::bigint, $4::bigint)", CancellationToken.None, what, where, megabytes, bound);

    private long FreeMegabytes() => new DriveInfo(Path.GetDirectoryName(files.NewTemporaryPath())!).AvailableFreeSpace / Megabyte;
}
