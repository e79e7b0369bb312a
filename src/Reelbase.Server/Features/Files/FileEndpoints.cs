using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Files;

/// <summary>An error of the storage API. The status stands in the body as text as well, as its clients expect.</summary>
public sealed record StorageError([property: System.Text.Json.Serialization.JsonPropertyName("statusCode")] string StatusCode, string Error, string Message);

/// <summary>Reading stored files: by signed address, by their owner's token, or what is public. Ranges and conditional requests work on all.</summary>
public static class FileEndpoints
{
    private static readonly string[] Pictures = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/heic"];
    private static readonly string[] Reading = ["GET", "HEAD"];

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/storage/v1/object").WithTags("Files").AddEndpointFilter<StorageRefusalFilter>();
        group
            .MapMethods("/sign/{bucket}/{**name}", Reading, ReadSignedAsync)
            .WithName("read-signed-file")
            .WithSummary("Read a file by its signed address")
            .Query("token", "The signature from the address", required: true)
            .Query("download", "Save it instead of showing it, under this name when there is one")
            .ProducesFile(403);
        group
            .MapMethods("/public/{bucket}/{**name}", Reading, ReadPublicAsync)
            .WithName("read-public-file")
            .WithSummary("Read a picture of the public bucket")
            .Query("download", "Save it instead of showing it, under this name when there is one")
            .ProducesFile();
        foreach (var (path, name) in new[] { ("/authenticated/{bucket}/{**name}", "read-own-file"), ("/{bucket}/{**name}", "read-own-file-short") })
        {
            group
                .MapMethods(path, Reading, ReadOwnAsync)
                .WithName(name)
                .WithSummary("Read one of the caller's own files")
                .RequiresUser()
                .Query("download", "Save it instead of showing it, under this name when there is one")
                .ProducesFile(401, 403);
        }
    }

    private static RouteHandlerBuilder ProducesFile(this RouteHandlerBuilder builder, params int[] more)
    {
        builder.Produces(200, null, "video/mp4", Pictures).Produces(206, null, "video/mp4", Pictures);
        foreach (var status in (int[])[404, 503, .. more])
        {
            builder.Produces<StorageError>(status);
        }
        return builder;
    }

    private static async Task<IResult> ReadSignedAsync(
        string bucket,
        HttpContext context,
        FileLinks links,
        ApiDatabase database,
        IFileStore files,
        string name = ""
    )
    {
        var (isOpen, jobId) = await links.OpensAsync(context.Request.Query["token"].ToString(), bucket, name);
        if (!isOpen)
        {
            throw new StorageApiException(403, "InvalidSignature", "The address is not valid or has ended");
        }
        var stored = jobId is { } job
            ? await database.QuerySingleOrDefaultAsync<StoredPicture>("select * from find_job_picture($1)", context.RequestAborted, job)
            : await FindAsync(database, FileName.Parse(bucket, name), false, context.RequestAborted);
        // What the address says is what is opened, also for a job.
        return await SendAsync(jobId is null || stored?.StoreName == name ? stored : null, "private", files, context);
    }

    private static async Task<IResult> ReadPublicAsync(
        string bucket,
        HttpContext context,
        ApiDatabase database,
        IFileStore files,
        IOptions<UploadsOptions> options,
        string name = ""
    ) =>
        await SendAsync(
            options.Value.PublicThumbnails ? await FindAsync(database, FileName.Parse(bucket, name), true, context.RequestAborted) : null,
            "public",
            files,
            context
        );

    private static async Task<IResult> ReadOwnAsync(
        string bucket,
        HttpContext context,
        CallerResolver callers,
        ApiDatabase database,
        IFileStore files,
        string name = ""
    )
    {
        if (await callers.ReadAsync(context) is not { UserId: not null } caller)
        {
            throw new StorageApiException(401, "Unauthorized", "A valid bearer token is required");
        }
        return await SendAsync(await FindOwnAsync(database, caller, FileName.Parse(bucket, name), context.RequestAborted), "private", files, context);
    }

    /// <summary>A file of the caller's, or null.</summary>
    internal static async Task<StoredPicture?> FindOwnAsync(ApiDatabase database, Caller caller, FileName name, CancellationToken cancellationToken) =>
        Json.NullIfUnstorable(name.Given) is null || Json.NullIfUnstorable(name.Bucket) is null
            ? null
            : await database.QuerySingleOrDefaultAsync<StoredPicture>(
                caller,
                "select * from find_my_file($1, $2, $3::uuid, $4::text)",
                cancellationToken,
                name.Bucket,
                name.Given,
                name.Folder,
                name.Path
            );

    private static async Task<StoredPicture?> FindAsync(ApiDatabase database, FileName name, bool isPublic, CancellationToken cancellationToken) =>
        Json.NullIfUnstorable(name.Given) is null || Json.NullIfUnstorable(name.Bucket) is null
            ? null
            : await database.QuerySingleOrDefaultAsync<StoredPicture>(
                "select * from find_file($1, $2, $3::uuid, $4::text, $5)",
                cancellationToken,
                name.Bucket,
                name.Given,
                name.Folder,
                name.Path,
                isPublic
            );

    private static async Task<IResult> SendAsync(StoredPicture? stored, string scope, IFileStore files, HttpContext context)
    {
        var stream = stored is null ? null : await files.OpenAsync(stored.StoreBucket, stored.StoreName, context.RequestAborted);
        if (stored is null || stream is null)
        {
            throw StorageApiException.NotFound;
        }
        var headers = context.Response.Headers;
        // What a job made never changes. A picture can be replaced under its name: then its id is another, and so is its version.
        headers.CacheControl = stored.CachedFor is { } seconds ? $"{scope}, {seconds}" : "private, max-age=86400, immutable";
        headers.XContentTypeOptions = "nosniff";
        if (context.Request.Query.TryGetValue("download", out var download))
        {
            var disposition = new ContentDispositionHeaderValue("attachment");
            if (download.ToString() is { Length: > 0 and <= 255 } name && Json.NullIfUnstorable(name) is not null)
            {
                disposition.SetHttpFileName(name);
            }
            headers.ContentDisposition = disposition.ToString();
        }
        else
        {
            // Played where it is asked for, and called by a name of ours where somebody keeps it.
            var disposition = new ContentDispositionHeaderValue("inline");
            disposition.SetHttpFileName(stored.StoreName[(stored.StoreName.LastIndexOf('/') + 1)..]);
            headers.ContentDisposition = disposition.ToString();
        }
        return Results.Stream(
            stream,
            stored.ContentType,
            lastModified: new DateTimeOffset(stored.UpdatedAt, TimeSpan.Zero),
            entityTag: new EntityTagHeaderValue($"\"{stored.ObjectId:N}\""),
            enableRangeProcessing: true
        );
    }
}
