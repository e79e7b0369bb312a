using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Moderation;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>A foreign picture in our own storage, or why there is none.</summary>
/// <param name="Name">How its user knows the copy.</param>
/// <param name="Picture">The copy; null for one that was not taken.</param>
/// <param name="Refusal">The refusal, as <c>generate_video</c> takes it.</param>
public sealed record PictureCopy(FileName Name, StoredPicture? Picture, string? Refusal);

/// <summary>
/// Where a service checks pictures, a picture elsewhere is fetched once, into the caller's own storage: what is checked and what the provider gets
/// are that copy. A foreign server can answer each of two who ask it with another picture.
/// </summary>
public sealed class PictureCopies(
    PictureUploads uploads,
    FileDownloader downloader,
    ApiDatabase database,
    ChangeFeed feed,
    IOptions<ModerationOptions> moderation,
    ILogger<PictureCopies> logger
)
{
    private const string Folder = "elsewhere";

    /// <summary>Whether pictures elsewhere are copied.</summary>
    public bool AreOn => moderation.Value.ServiceUrl is { Length: > 0 };

    /// <summary>Takes the copy. Nothing is thrown for what the picture or its server is: a repeated key finds its stored answer all the same.</summary>
    public async Task<PictureCopy> TakeAsync(HttpContext context, Caller caller, string url)
    {
        var path = $"{Folder}/{Guid.NewGuid():N}";
        var name = new FileName(FileName.Uploads, $"{caller.UserId}/{path}", caller.UserId, path);
        try
        {
            await uploads.BringAsync(
                context,
                caller,
                name,
                (file, maxBytes) => downloader.DownloadFromAnywhereAsync(url, file, maxBytes, moderation.Value.PictureTimeoutSeconds, context.RequestAborted)
            );
            // Whoever removes it meanwhile would have the provider given the address, which nobody has read.
            return await FileEndpoints.FindOwnAsync(database, caller, name, context.RequestAborted) is { } own
                ? new(name, own, null)
                : Refused(name, ErrorCodes.InvalidSettings, new { field = "image_url", reason = "not_found" });
        }
        catch (DownloadException error)
        {
            logger.LogInformation("A picture elsewhere was not fetched: {Reason}", error.Message);
            return Refused(name, ErrorCodes.InvalidSettings, new { field = "image_url", reason = "not_fetched" });
        }
        catch (StorageApiException error) when (error.Status is 413 or 415)
        {
            return Refused(name, ErrorCodes.InvalidSettings, new { field = "image_url", reason = error.Status == 413 ? "picture_size" : "picture_type" });
        }
        catch (PostgresException error) when (error.SqlState == "RB001")
        {
            var raised = DatabaseErrors.Translate(error);
            return Refused(name, raised.Code, raised.Details);
        }
        catch (ApiException error)
        {
            return Refused(name, error.Code, error.Details);
        }
        catch (StorageException)
        {
            return Refused(name, ErrorCodes.StorageUnavailable, null);
        }
    }

    /// <summary>Removes a copy that no job needs: the request was refused, or had its answer before.</summary>
    public async Task DropAsync(Caller caller, PictureCopy? copy)
    {
        if (copy?.Picture is null)
        {
            return;
        }
        try
        {
            await database.ExecuteAsync(
                caller,
                "select count(*) from remove_my_files($1, $2::jsonb)",
                CancellationToken.None,
                copy.Name.Bucket,
                JsonSerializer.Serialize(new[] { new { folder = copy.Name.Folder, path = copy.Name.Path } }, Json.Options)
            );
            feed.Publish(FileRemover.WakeTopic);
        }
        catch (NpgsqlException error)
        {
            logger.LogWarning("A copy of a picture that no job needs ({Reason}) goes with its user's old pictures", error.GetType().Name);
        }
    }

    private static PictureCopy Refused(FileName name, string code, object? details) =>
        new(name, null, JsonSerializer.Serialize(new { code, details = details ?? new { } }, Json.Options));
}
