using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Files;

/// <summary>What is asked for when files are listed. Names are written as the clients write them.</summary>
public sealed record ListFilesRequest
{
    /// <summary>The folder.</summary>
    public string? Prefix { get; init; }

    /// <summary>At most so many; 100 when nothing is said, 1000 at most.</summary>
    public int? Limit { get; init; }

    /// <summary>So many are passed over.</summary>
    public int? Offset { get; init; }

    /// <summary>The order.</summary>
    [JsonPropertyName("sortBy")]
    public SortBy? SortBy { get; init; }

    /// <summary>What names begin with.</summary>
    public string? Search { get; init; }
}

/// <summary>The order of a list: by name, created_at or updated_at; asc or desc.</summary>
public sealed record SortBy
{
    /// <summary>name, created_at or updated_at.</summary>
    public string? Column { get; init; }

    /// <summary>asc or desc.</summary>
    public string? Order { get; init; }
}

/// <summary>Names of files to be removed.</summary>
public sealed record RemoveFilesRequest
{
    /// <summary>Whole names, whatever the word says.</summary>
    public List<string>? Prefixes { get; init; }
}

/// <summary>How long an address is to be good, and for several files which.</summary>
public sealed record SignFilesRequest
{
    /// <summary>Seconds.</summary>
    [JsonPropertyName("expiresIn")]
    public int? ExpiresIn { get; init; }

    /// <summary>Whole names.</summary>
    public List<string>? Paths { get; init; }
}

/// <summary>From where to where.</summary>
public sealed record MoveFileRequest
{
    /// <summary>The bucket.</summary>
    [JsonPropertyName("bucketId")]
    public string? BucketId { get; init; }

    /// <summary>The name that it has.</summary>
    [JsonPropertyName("sourceKey")]
    public string? SourceKey { get; init; }

    /// <summary>The name that it gets.</summary>
    [JsonPropertyName("destinationKey")]
    public string? DestinationKey { get; init; }

    /// <summary>Another bucket.</summary>
    [JsonPropertyName("destinationBucket")]
    public string? DestinationBucket { get; init; }
}

/// <summary>What the storage API does beside bytes: listing, signing, removing, moving, and saying what there is.</summary>
public static class StorageEndpoints
{
    private const int MaxNames = 1000;
    private const int MaxListed = 1000;
    private const int MaxSignedSeconds = 365 * 86_400;
    private const int MaxBodyBytes = 1024 * 1024;

    public static void MapStorage(this IEndpointRouteBuilder routes)
    {
        var storage = routes.MapGroup("/storage/v1").WithTags("Files").AddEndpointFilter<StorageRefusalFilter>();
        storage
            .MapPost("/object/list/{bucket}", ListAsync)
            .Describe<ListFilesRequest, List<ListedFile>>("list-files", "The caller's files and folders below a prefix", StorageExamples.Listed);
        storage
            .MapDelete("/object/{bucket}", RemoveAsync)
            .Describe<RemoveFilesRequest, List<ListedFile>>("remove-files", "Remove pictures of the caller's by name", StorageExamples.Listed);
        storage
            .MapPost("/object/sign/{bucket}", SignManyAsync)
            .Describe<SignFilesRequest, List<SignedPath>>("sign-files", "Signed addresses of several files", StorageExamples.SignedPaths);
        storage
            .MapPost("/object/sign/{bucket}/{**name}", SignOneAsync)
            .Describe<SignFilesRequest, SignedFile>("sign-file", "A signed address of a file", StorageExamples.Signed, 404);
        storage
            .MapPost("/object/move", MoveAsync)
            .Describe<MoveFileRequest, Moved>("move-file", "Give a picture another name", StorageExamples.Moved, 404, 409);
        storage
            .MapPost("/object/copy", CopyAsync)
            .Describe<MoveFileRequest, UploadResponse>("copy-file", "A second picture like one", UploadEndpoints.Example, 404, 409, 429);
        foreach (
            var (path, name) in new[] { ("/object/info/{bucket}/{**name}", "file-info"), ("/object/info/authenticated/{bucket}/{**name}", "file-info-long") }
        )
        {
            storage
                .MapGet(path, InfoAsync)
                .WithName(name)
                .WithSummary("What is known of a file")
                .RequiresUser()
                .Produces<FileInfoResponse>()
                .Examples(null, StorageExamples.Info)
                .Refuses(401, 403, 404, 503);
        }
        storage
            .MapGet("/bucket", ListBucketsAsync)
            .WithName("list-buckets")
            .WithSummary("The buckets")
            .RequiresUser()
            .Produces<List<Bucket>>()
            .Examples(null, StorageExamples.Buckets)
            .Refuses(401, 403, 503);
        storage.MapRefusals();
        storage
            .MapGet("/bucket/{bucket}", GetBucketAsync)
            .WithName("get-bucket")
            .WithSummary("A bucket")
            .RequiresUser()
            .Produces<Bucket>()
            .Examples(null, StorageExamples.Bucket)
            .Refuses(401, 403, 404, 503);
    }

    private static void Describe<TRequest, TResponse>(this RouteHandlerBuilder builder, string name, string summary, object example, params int[] more)
        where TRequest : notnull =>
        builder
            .WithName(name)
            .WithSummary(summary)
            .RequiresUser()
            .WithMetadata(new ResolvesCallerFirstMetadata())
            .Accepts<TRequest>("application/json")
            .Produces<TResponse>()
            .Examples(null, example)
            .Refuses([400, 401, 403, 413, 415, 503, .. more]);

    private static async Task<IResult> ListAsync(string bucket, HttpContext context, SupabaseCallers callers, ApiDatabase database)
    {
        var caller = await UploadEndpoints.RequireUserAsync(context, callers);
        var request = await RequestBody.ReadAsync<ListFilesRequest>(context, allowEmpty: true);
        RequireBucket(bucket);
        var prefix = (request.Prefix ?? "").Trim('/');
        if (prefix.Length > 0)
        {
            prefix = FileName.Parse(bucket, prefix + "/.").Canonical[..^1];
        }
        var rows = await database.ListAsync<FileRow>(
            caller,
            "select * from list_my_files($1, $2, $3, $4, $5, $6, $7)",
            context.RequestAborted,
            bucket,
            prefix,
            request.Search ?? "",
            Math.Clamp(request.Limit ?? 100, 1, MaxListed),
            Math.Clamp(request.Offset ?? 0, 0, int.MaxValue),
            request.SortBy?.Column ?? "name",
            string.Equals(request.SortBy?.Order, "desc", StringComparison.OrdinalIgnoreCase)
        );
        return Json.Result(rows.ConvertAll(row => ListedFile.From(row, bucket, row.Name)));
    }

    private static async Task<IResult> RemoveAsync(string bucket, HttpContext context, SupabaseCallers callers, ApiDatabase database, ChangeFeed feed)
    {
        var caller = await UploadEndpoints.RequireUserAsync(context, callers);
        var request = await RequestBody.ReadAsync<RemoveFilesRequest>(context, maxBytes: MaxBodyBytes);
        RequireBucket(bucket);
        if (request.Prefixes is not { Count: > 0 and <= MaxNames } names || names.Contains(null!))
        {
            throw new StorageApiException(400, "InvalidRequest", $"prefixes must be a list of 1 to {MaxNames} names");
        }
        var files = names
            .Select(name => FileName.Parse(bucket, name))
            .Where(name => name.Folder is not null)
            .Select(name => new { folder = name.Folder, path = name.Path });
        var rows = await database.ListAsync<FileRow>(
            caller,
            "select * from remove_my_files($1, $2::jsonb)",
            context.RequestAborted,
            bucket,
            JsonSerializer.Serialize(files)
        );
        if (rows.Count > 0)
        {
            feed.Publish(FileRemover.WakeTopic);
        }
        return Json.Result(rows.ConvertAll(row => ListedFile.From(row, bucket, row.Name)));
    }

    private static async Task<IResult> SignOneAsync(
        string bucket,
        string name,
        HttpContext context,
        SupabaseCallers callers,
        ApiDatabase database,
        FileLinks links,
        TimeProvider clock
    )
    {
        var caller = await UploadEndpoints.RequireUserAsync(context, callers);
        var ends = Ends(await RequestBody.ReadAsync<SignFilesRequest>(context), clock);
        return await FileEndpoints.FindOwnAsync(database, caller, FileName.Parse(bucket, name), context.RequestAborted) is null
            ? throw StorageApiException.NotFound
            : Json.Result(new SignedFile(links.RelativeAddress(bucket, name, ends)));
    }

    private static async Task<IResult> SignManyAsync(
        string bucket,
        HttpContext context,
        SupabaseCallers callers,
        ApiDatabase database,
        FileLinks links,
        TimeProvider clock
    )
    {
        var caller = await UploadEndpoints.RequireUserAsync(context, callers);
        var request = await RequestBody.ReadAsync<SignFilesRequest>(context, maxBytes: MaxBodyBytes);
        var ends = Ends(request, clock);
        if (request.Paths is not { Count: > 0 and <= 100 } paths || paths.Contains(null!))
        {
            throw new StorageApiException(400, "InvalidRequest", "paths must be a list of 1 to 100 names");
        }
        var signed = new List<SignedPath>();
        foreach (var path in paths)
        {
            var isFound = await FileEndpoints.FindOwnAsync(database, caller, FileName.Parse(bucket, path), context.RequestAborted) is not null;
            signed.Add(
                isFound
                    ? new(path, links.RelativeAddress(bucket, path, ends), null)
                    : new(path, null, "Either the object does not exist or you do not have access to it")
            );
        }
        return Json.Result(signed);
    }

    private static async Task<IResult> MoveAsync(HttpContext context, SupabaseCallers callers, ApiDatabase database)
    {
        var caller = await UploadEndpoints.RequireUserAsync(context, callers);
        var (from, to) = Names(await RequestBody.ReadAsync<MoveFileRequest>(context));
        await database.ExecuteAsync(
            caller,
            "select move_my_file($1, $2::uuid, $3::text, $4, $5, $6)",
            context.RequestAborted,
            from.Bucket,
            from.Folder,
            from.Path,
            to.Bucket,
            to.Folder,
            to.Path
        );
        return Json.Result(new Moved("Successfully moved"));
    }

    private static async Task<IResult> CopyAsync(HttpContext context, SupabaseCallers callers, ApiDatabase database, PictureUploads uploads)
    {
        var caller = await UploadEndpoints.RequireUserAsync(context, callers);
        var (from, to) = Names(await RequestBody.ReadAsync<MoveFileRequest>(context));
        var stored = await FileEndpoints.FindOwnAsync(database, caller, from, context.RequestAborted) ?? throw StorageApiException.NotFound;
        var isUpsert = context.Request.Headers["x-upsert"].ToString().Equals("true", StringComparison.OrdinalIgnoreCase);
        return Json.Result(new UploadResponse(await uploads.CopyAsync(context, caller, stored, to, isUpsert), $"{to.Bucket}/{to.Given}"));
    }

    private static async Task<IResult> InfoAsync(string bucket, string name, HttpContext context, SupabaseCallers callers, ApiDatabase database)
    {
        var caller = await UploadEndpoints.RequireUserAsync(context, callers);
        var stored =
            await FileEndpoints.FindOwnAsync(database, caller, FileName.Parse(bucket, name), context.RequestAborted) ?? throw StorageApiException.NotFound;
        return Json.Result(
            new FileInfoResponse(
                stored.Id,
                name,
                stored.ObjectId,
                bucket,
                stored.SizeBytes,
                stored.ContentType,
                stored.CachedFor ?? "max-age=86400",
                $"\"{stored.ObjectId:N}\"",
                new(),
                stored.UpdatedAt,
                stored.CreatedAt
            )
        );
    }

    private static async Task<IResult> ListBucketsAsync(HttpContext context, SupabaseCallers callers, IOptions<UploadsOptions> options)
    {
        await UploadEndpoints.RequireUserAsync(context, callers);
        return Json.Result(FileName.Buckets.Select(bucket => Bucket.Of(bucket, options.Value)).ToList());
    }

    private static async Task<IResult> GetBucketAsync(string bucket, HttpContext context, SupabaseCallers callers, IOptions<UploadsOptions> options)
    {
        await UploadEndpoints.RequireUserAsync(context, callers);
        RequireBucket(bucket);
        return Json.Result(Bucket.Of(bucket, options.Value));
    }

    private static (FileName From, FileName To) Names(MoveFileRequest request)
    {
        if (request is not { BucketId: { } bucket, SourceKey: { } source, DestinationKey: { } target })
        {
            throw new StorageApiException(400, "InvalidRequest", "bucketId, sourceKey and destinationKey are needed");
        }
        RequireBucket(bucket);
        var to = FileName.Parse(request.DestinationBucket ?? bucket, target);
        PictureUploads.RequirePlace(to);
        return (FileName.Parse(bucket, source), to);
    }

    private static void RequireBucket(string bucket)
    {
        if (!FileName.Buckets.Contains(bucket))
        {
            throw StorageApiException.NoBucket;
        }
    }

    private static DateTime Ends(SignFilesRequest request, TimeProvider clock) =>
        request.ExpiresIn is >= 1 and <= MaxSignedSeconds
            ? clock.GetUtcNow().UtcDateTime.AddSeconds(request.ExpiresIn.Value)
            : throw new StorageApiException(400, "InvalidRequest", $"expiresIn must be a number of seconds from 1 to {MaxSignedSeconds}");

    private sealed record FileRow(
        string Name,
        Guid? Id,
        long? SizeBytes,
        string? ContentType,
        string? CachedFor,
        string? Etag,
        DateTime? CreatedAt,
        DateTime? UpdatedAt
    );

    private sealed record SignedFile([property: JsonPropertyName("signedURL")] string SignedUrl);

    private sealed record SignedPath(string Path, [property: JsonPropertyName("signedURL")] string? SignedUrl, string? Error);

    private sealed record Moved(string Message);

    private sealed record FileInfoResponse(
        Guid Id,
        string Name,
        Guid Version,
        string BucketId,
        long Size,
        string ContentType,
        string CacheControl,
        string Etag,
        Dictionary<string, string> Metadata,
        DateTime LastModified,
        DateTime CreatedAt
    );

    /// <summary>A file, or with no id a folder, in a list.</summary>
    private sealed record ListedFile(
        string Name,
        string BucketId,
        Guid? Id,
        DateTime? CreatedAt,
        DateTime? UpdatedAt,
        DateTime? LastAccessedAt,
        ListedMetadata? Metadata
    )
    {
        public static ListedFile From(FileRow row, string bucket, string name) =>
            new(
                name,
                bucket,
                row.Id,
                row.CreatedAt,
                row.UpdatedAt,
                row.UpdatedAt,
                row.Id is null
                    ? null
                    : new($"\"{row.Etag}\"", row.SizeBytes!.Value, row.ContentType!, row.CachedFor!, row.UpdatedAt!.Value, row.SizeBytes.Value, 200)
            );
    }

    private sealed record ListedMetadata(
        [property: JsonPropertyName("eTag")] string ETag,
        long Size,
        string Mimetype,
        [property: JsonPropertyName("cacheControl")] string CacheControl,
        [property: JsonPropertyName("lastModified")] DateTime LastModified,
        [property: JsonPropertyName("contentLength")] long ContentLength,
        [property: JsonPropertyName("httpStatusCode")] int HttpStatusCode
    );

    private sealed record Bucket(
        string Id,
        string Name,
        string Owner,
        bool Public,
        long? FileSizeLimit,
        string[]? AllowedMimeTypes,
        DateTime CreatedAt,
        DateTime UpdatedAt
    )
    {
        // There is no moment at which they were made.
        private static readonly DateTime Always = new(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        public static Bucket Of(string bucket, UploadsOptions options) =>
            new(
                bucket,
                bucket,
                "",
                bucket == FileName.Thumbnails && options.PublicThumbnails,
                bucket == FileName.Videos ? null : options.MaxBytes,
                bucket == FileName.Videos ? null : ["image/jpeg", "image/png", "image/webp", "image/gif", "image/heic"],
                Always,
                Always
            );
    }
}
