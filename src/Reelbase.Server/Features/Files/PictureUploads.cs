using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Media;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Files;

/// <summary>
/// Takes a picture in: admitted, written to a temporary file, read, announced, stored, named. Nothing that breaks off on the way is ever seen:
/// before the announcement there is only a temporary file, and after it a row that the worker removes with its file.
/// </summary>
public sealed class PictureUploads(
    ApiDatabase database,
    IFileStore files,
    ChangeFeed feed,
    StorageQuota quota,
    FileScanner scanner,
    IOptions<UploadsOptions> options,
    ServerLimits limits,
    ILogger<PictureUploads> logger
)
{
    private UploadsOptions Options => options.Value;

    /// <summary>The picture that a request carries becomes the caller's file of that name.</summary>
    /// <returns>The id of the upload.</returns>
    /// <exception cref="StorageApiException">Whatever speaks against it.</exception>
    public async Task<Guid> ReceiveAsync(HttpContext context, Caller caller, FileName name, bool isUpsert)
    {
        await AdmitAsync(context, caller, name, isUpsert, context.Request.ContentLength);
        var path = files.NewTemporaryPath();
        try
        {
            return await quota.WritingAsync(async () =>
            {
                var (bytes, type, cache) = await UploadBody.ReadAsync(context, path, Options);
                return await KeepAsync(caller, name, isUpsert, path, bytes, type, cache);
            });
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A picture that this server fetches for the caller becomes their file, under all limits of an upload.</summary>
    /// <param name="context">The request that asks for it.</param>
    /// <param name="caller">Whose it will be.</param>
    /// <param name="name">Its name, which nothing has.</param>
    /// <param name="fetch">Writes it to a path, no more than so many bytes, and answers how many.</param>
    public async Task BringAsync(HttpContext context, Caller caller, FileName name, Func<string, long, Task<long>> fetch)
    {
        await AdmitAsync(context, caller, name, isUpsert: false, bytes: null);
        var path = files.NewTemporaryPath();
        try
        {
            await quota.WritingAsync(async () => await KeepAsync(caller, name, isUpsert: false, path, await fetch(path, Options.MaxBytes), "", "max-age=3600"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A second file of the same picture.</summary>
    /// <returns>The id of the new upload.</returns>
    public async Task<Guid> CopyAsync(HttpContext context, Caller caller, StoredPicture from, FileName to, bool isUpsert)
    {
        if (from.StoreBucket == FileName.Videos)
        {
            throw new StorageApiException(415, "invalid_mime_type", "A video is no picture");
        }
        await AdmitAsync(context, caller, to, isUpsert, from.SizeBytes);
        var path = files.NewTemporaryPath();
        try
        {
            return await quota.WritingAsync(async () =>
            {
                await using (var source = await files.OpenAsync(from.StoreBucket, from.StoreName, context.RequestAborted) ?? throw StorageApiException.NotFound)
                await using (var target = PrivateFiles.Create(path))
                {
                    await source.CopyToAsync(target, context.RequestAborted);
                }
                return await KeepAsync(caller, to, isUpsert, path, from.SizeBytes, from.ContentType, from.CachedFor ?? "max-age=3600");
            });
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Refuses what has no place among users' pictures.</summary>
    public static void RequirePlace(FileName name)
    {
        if (!FileName.Buckets.Contains(name.Bucket))
        {
            throw StorageApiException.NoBucket;
        }
        if (!FileName.IsValid(name.Given))
        {
            throw new StorageApiException(400, "InvalidKey", $"Invalid key: {name.Given[..Math.Min(name.Given.Length, 200)]}");
        }
        if (name.Folder is null || name.Bucket == FileName.Videos)
        {
            throw new StorageApiException(403, "Unauthorized", "new row violates row-level security policy");
        }
    }

    private async Task AdmitAsync(HttpContext context, Caller caller, FileName name, bool isUpsert, long? bytes)
    {
        RequirePlace(name);
        await quota.RequireDiskAsync(database);
        var admitted = await quota.FittingAsync(() =>
            database.QuerySingleOrDefaultAsync<Admitted>(
                caller,
                "select * from admit_upload($1, $2, $3, $4, $5::bigint, $6, $7::jsonb)",
                context.RequestAborted,
                name.Bucket,
                name.Folder,
                name.Path,
                isUpsert,
                Math.Min(bytes ?? 0, Options.MaxBytes),
                context.Connection.RemoteIpAddress,
                Options.Limits(limits)
            )
        );
        RateLimitHeaders.Set(context, admitted!.RateLimit, admitted.RateRemaining, admitted.RateResetAt);
    }

    private async Task<Guid> KeepAsync(Caller caller, FileName name, bool isUpsert, string path, long bytes, string declaredType, string cacheControl)
    {
        var picture = PictureFile.Read(path) ?? throw new StorageApiException(415, "invalid_mime_type", $"mime type {Shown(declaredType)} is not supported");
        if (Math.Max(picture.Width, picture.Height) > Options.MaxSidePixels || (long)picture.Width * picture.Height > Options.MaxMegapixels * 1_000_000L)
        {
            throw new StorageApiException(
                413,
                "Payload too large",
                $"The picture may have {Options.MaxSidePixels} pixels on a side and {Options.MaxMegapixels} megapixels in all"
            );
        }
        if (!await scanner.IsCleanAsync(path, CancellationToken.None))
        {
            logger.LogWarning("The scanner has refused a picture of user {UserId}", caller.UserId);
            throw new StorageApiException(415, "infected", "The file was refused by the virus scanner");
        }
        // From here on nothing is broken off because the client has gone: what was announced is finished or given up.
        var id = Guid.NewGuid();
        // Two letters before it, so that no folder of the disk holds them all; nothing of its user, since providers see this name.
        var storeName = $"{id.ToString("N")[..2]}/{id:N}.{picture.Extension}";
        await quota.FittingAsync(async () =>
        {
            await database.ExecuteAsync(
                caller,
                "select reserve_upload($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)",
                CancellationToken.None,
                id,
                storeName,
                name.Bucket,
                name.Folder,
                name.Path,
                isUpsert,
                bytes,
                picture.ContentType,
                Options.Limits(limits)
            );
            return id;
        });
        try
        {
            await files.PutAsync(StoreBuckets.Pictures, storeName, path, picture.ContentType, CancellationToken.None);
            var upload = (
                await database.ListAsync<Guid>(
                    caller,
                    "select finish_upload($1, $2, $3, $4, $5, $6)",
                    CancellationToken.None,
                    id,
                    name.Bucket,
                    name.Folder,
                    name.Path,
                    isUpsert,
                    cacheControl
                )
            )[0];
            if (isUpsert)
            {
                feed.Publish(FileRemover.WakeTopic);
            }
            return upload;
        }
        catch (Exception error)
        {
            await AbandonAsync(id, error);
            throw;
        }
    }

    /// <summary>The commit may have been made and only its answer lost: then the row is stored and stays.</summary>
    private async Task AbandonAsync(Guid id, Exception why)
    {
        try
        {
            await database.ExecuteAsync("select abandon_upload($1)", CancellationToken.None, id);
            feed.Publish(FileRemover.WakeTopic);
        }
        catch (Npgsql.NpgsqlException)
        {
            logger.LogWarning("An upload that broke off ({Reason}) waits an hour for its removal", why.GetType().Name);
        }
    }

    private static string Shown(string type) => type.Length == 0 ? "unknown" : type.Split(';')[0][..Math.Min(type.Split(';')[0].Length, 100)];

    private sealed record Admitted(int? RateLimit, int? RateRemaining, DateTime? RateResetAt);
}

/// <summary>A file by its name, and where it lies.</summary>
public sealed record StoredPicture(
    Guid Id,
    string StoreBucket,
    string StoreName,
    long SizeBytes,
    string ContentType,
    string? CachedFor,
    DateTime CreatedAt,
    DateTime UpdatedAt,
    Guid ObjectId
);
