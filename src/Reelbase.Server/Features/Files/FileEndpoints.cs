using Microsoft.Net.Http.Headers;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Files;

/// <summary>An error of the storage API. The status stands in the body as text as well, as its clients expect.</summary>
public sealed record StorageError([property: System.Text.Json.Serialization.JsonPropertyName("statusCode")] string StatusCode, string Error, string Message);

/// <summary>Reading stored files: by signed address, or by their owner's token. Ranges and conditional requests work on both.</summary>
public static class FileEndpoints
{
    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/storage/v1/object").WithTags("Files");
        group
            .MapMethods("/sign/{bucket}/{**name}", ["GET", "HEAD"], ReadSignedAsync)
            .WithName("read-signed-file")
            .WithSummary("Read a file by its signed address")
            .Query("token", "The signature from the address", required: true)
            .Produces(200, null, "video/mp4")
            .Produces(206, null, "video/mp4")
            .Produces<StorageError>(403)
            .Produces<StorageError>(404)
            .Produces<StorageError>(503);
        foreach (var (path, name) in new[] { ("/authenticated/{bucket}/{**name}", "read-own-file"), ("/{bucket}/{**name}", "read-own-file-short") })
        {
            group
                .MapMethods(path, ["GET", "HEAD"], ReadOwnAsync)
                .WithName(name)
                .WithSummary("Read one of the caller's own files")
                .RequiresUser()
                .Produces(200, null, "video/mp4")
                .Produces(206, null, "video/mp4")
                .Produces<StorageError>(401)
                .Produces<StorageError>(403)
                .Produces<StorageError>(404)
                .Produces<StorageError>(503);
        }
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
        if (!await links.OpensAsync(context.Request.Query["token"].ToString(), bucket, name))
        {
            return Refuse(context, 403, "InvalidSignature", "The address is not valid or has ended");
        }
        var stored = await database.OneOrNoneAsync<FileRow>("select * from get_storage_object($1, $2)", context.RequestAborted, bucket, name);
        return await SendAsync(stored, bucket, name, files, context);
    }

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
            return Refuse(context, 401, "Unauthorized", "A valid bearer token is required");
        }
        if (Json.NullIfUnstorable(name) is null || Json.NullIfUnstorable(bucket) is null)
        {
            return Fail(404, "not_found", "Object not found");
        }
        try
        {
            var stored = await database.OneOrNoneAsync<FileRow>(caller, "select * from get_my_storage_object($1, $2)", context.RequestAborted, bucket, name);
            return await SendAsync(stored, bucket, name, files, context);
        }
        catch (PostgresException error) when (error.SqlState == "RB001")
        {
            // Who is banned or signed out hears it in the words of this API too.
            return error.MessageText == "ERR_4006"
                ? Refuse(context, 403, "Unauthorized", "The user is banned")
                : Refuse(context, 401, "Unauthorized", "The session has ended");
        }
    }

    private static async Task<IResult> SendAsync(FileRow? stored, string bucket, string name, IFileStore files, HttpContext context)
    {
        Stream? stream;
        try
        {
            stream = stored is null ? null : await files.OpenAsync(bucket, name, context.RequestAborted);
        }
        catch (StorageException)
        {
            return Fail(503, "storage_unavailable", "The file cannot be read now; try again");
        }
        if (stored is null || stream is null)
        {
            return Fail(404, "not_found", "Object not found");
        }
        // A stored file never changes: its id is its version.
        context.Response.Headers.CacheControl = "private, max-age=86400, immutable";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Stream(
            stream,
            stored.ContentType,
            lastModified: new DateTimeOffset(stored.StoredAt, TimeSpan.Zero),
            entityTag: new EntityTagHeaderValue($"\"{stored.Id:N}\""),
            enableRangeProcessing: true
        );
    }

    private static IResult Refuse(HttpContext context, int status, string error, string message)
    {
        context.RequestServices.GetRequiredService<ErrorRecorder>().Record(context, status == 403 ? "ERR_4006" : "ERR_4005", error);
        return Fail(status, error, message);
    }

    private static IResult Fail(int status, string error, string message) =>
        Json.Answer(new StorageError(status.ToString(System.Globalization.CultureInfo.InvariantCulture), error, message), status);

    private sealed record FileRow(Guid Id, long SizeBytes, string ContentType, DateTime StoredAt);
}
