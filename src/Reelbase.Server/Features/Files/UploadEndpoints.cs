using System.Text.Json.Serialization;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Files;

/// <summary>A picture that was taken in.</summary>
public sealed record UploadResponse([property: JsonPropertyName("Id")] Guid Id, [property: JsonPropertyName("Key")] string Key);

/// <summary>Bringing pictures: the caller's own, or into a place that its owner has signed.</summary>
public static class UploadEndpoints
{
    /// <summary>How long an address for an upload is good; Supabase's clients cannot choose.</summary>
    private const int SignedUploadSeconds = 2 * 3600;

    internal static readonly UploadResponse Example = new(Guid.Parse("6f1b9a10-0000-4000-8000-000000000001"), "uploads/7d3c.../cat.jpg");

    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/storage/v1/object").WithTags("Files").AddEndpointFilter<StorageRefusalFilter>();
        group
            .MapPost(
                "/{bucket}/{**name}",
                (string bucket, HttpContext context, SupabaseCallers callers, PictureUploads uploads, string name = "") =>
                    ReceiveAsync(bucket, name, IsUpsert(context), context, callers, uploads)
            )
            .WithName("upload-file")
            .WithSummary("Bring a picture into a folder of the caller's")
            .Header("x-upsert", "true: a picture of that name is replaced")
            .TakesFile();
        group
            .MapPut(
                "/{bucket}/{**name}",
                (string bucket, HttpContext context, SupabaseCallers callers, PictureUploads uploads, string name = "") =>
                    ReceiveAsync(bucket, name, true, context, callers, uploads)
            )
            .WithName("replace-file")
            .WithSummary("Replace a picture of the caller's, or bring it")
            .TakesFile();
        group
            .MapPost("/upload/sign/{bucket}/{**name}", SignUploadAsync)
            .WithName("sign-upload")
            .WithSummary("An address at which somebody may put one picture, for two hours")
            .RequiresUser()
            .WithMetadata(new ResolvesCallerFirstMetadata())
            .Header("x-upsert", "true: a picture of that name may be replaced")
            .Produces<SignedUpload>()
            .Examples(null, new SignedUpload("/object/upload/sign/uploads/7d3c.../cat.jpg?token=eyJ...", "eyJ..."))
            .Refuses(400, 401, 403, 404, 503);
        group
            .MapPut("/upload/sign/{bucket}/{**name}", ReceiveSignedAsync)
            .WithName("upload-signed-file")
            .WithSummary("Bring a picture to a signed address")
            .Query("token", "The signature from the address", required: true)
            .Accepts<IFormFile>("*/*")
            .Produces<UploadResponse>()
            .Examples(null, Example)
            .Refuses(400, 401, 403, 404, 409, 413, 415, 429, 503);
    }

    private static void TakesFile(this RouteHandlerBuilder builder) =>
        builder
            .RequiresUser()
            .WithMetadata(new ResolvesCallerFirstMetadata())
            .Accepts<IFormFile>("*/*")
            .Produces<UploadResponse>()
            .Examples(null, Example)
            .Refuses(400, 401, 403, 404, 409, 413, 415, 429, 503);

    /// <summary>The refusals of an operation, in the words of this API.</summary>
    internal static RouteHandlerBuilder Refuses(this RouteHandlerBuilder builder, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            builder.Produces<StorageError>(status);
        }
        return builder;
    }

    /// <summary>The signed-in caller. Whoever only carries a key, the app's or a server's, owns no files and is nobody here.</summary>
    /// <exception cref="StorageApiException">401.</exception>
    internal static async Task<Caller> RequireUserAsync(HttpContext context, SupabaseCallers callers)
    {
        var (caller, fault, _) = await callers.ReadAsync(context);
        return caller is { UserId: not null } user
            ? user
            : throw new StorageApiException(
                401,
                "Unauthorized",
                fault == KeyFault.ExpiredToken ? "\"exp\" claim timestamp check failed" : "A valid bearer token is required"
            );
    }

    private static async Task<IResult> ReceiveAsync(
        string bucket,
        string name,
        bool isUpsert,
        HttpContext context,
        SupabaseCallers callers,
        PictureUploads uploads
    )
    {
        var caller = await RequireUserAsync(context, callers);
        var id = await uploads.ReceiveAsync(context, caller, FileName.Parse(bucket, name), isUpsert);
        return Json.Result(new UploadResponse(id, $"{bucket}/{name}"));
    }

    private static async Task<IResult> SignUploadAsync(
        string bucket,
        string name,
        HttpContext context,
        SupabaseCallers callers,
        FileLinks links,
        ApiDatabase database,
        TimeProvider clock
    )
    {
        var caller = await RequireUserAsync(context, callers);
        var file = FileName.Parse(bucket, name);
        PictureUploads.RequirePlace(file);
        await database.ExecuteAsync(caller, "select require_own_folder($1)", context.RequestAborted, file.Folder);
        var token = links.UploadToken(file, caller, IsUpsert(context), clock.GetUtcNow().UtcDateTime.AddSeconds(SignedUploadSeconds));
        return Json.Result(new SignedUpload($"/object/upload/sign/{bucket}/{name}?token={token}", token));
    }

    private static async Task<IResult> ReceiveSignedAsync(string bucket, string name, HttpContext context, FileLinks links, PictureUploads uploads)
    {
        var file = FileName.Parse(bucket, name);
        if (await links.ReadUploadTokenAsync(context.Request.Query["token"].ToString(), file) is not { } allowed)
        {
            throw new StorageApiException(403, "InvalidSignature", "The address is not valid or has ended");
        }
        var id = await uploads.ReceiveAsync(context, allowed.Owner, file, allowed.IsUpsert);
        return Json.Result(new UploadResponse(id, $"{bucket}/{name}"));
    }

    private static bool IsUpsert(HttpContext context) => context.Request.Headers["x-upsert"].ToString().Equals("true", StringComparison.OrdinalIgnoreCase);

    private sealed record SignedUpload(string Url, string Token);
}
