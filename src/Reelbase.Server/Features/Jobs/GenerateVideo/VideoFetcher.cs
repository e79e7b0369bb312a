using System.Diagnostics.Metrics;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Media;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>What became of fetching a finished video.</summary>
public abstract record FetchResult
{
    /// <summary>It is stored and the job is completed (or somebody else has finished it).</summary>
    public sealed record Stored : FetchResult;

    /// <summary>Trying again can help.</summary>
    /// <param name="Reason">For support.</param>
    /// <param name="IsOurs">Our own store is the trouble: only the deadline ends the tries.</param>
    public sealed record TryAgain(string Reason, bool IsOurs = false) : FetchResult;

    /// <summary>Our disk was full in the middle of it.</summary>
    public sealed record DiskFull : FetchResult;

    /// <summary>It lies on a host that is not among those that its provider serves files from.</summary>
    /// <param name="Host">That host.</param>
    /// <param name="IsRedirect">An allowed host sent us there.</param>
    /// <param name="Reason">For support.</param>
    public sealed record ForeignHost(string Host, bool IsRedirect, string Reason) : FetchResult;

    /// <summary>It never will: not a video, too large, at a forbidden place.</summary>
    public sealed record Unusable(string Reason) : FetchResult;
}

/// <summary>Brings a finished video into our storage, with a picture of it, and completes the job.</summary>
public sealed class VideoFetcher(
    WorkerDatabase database,
    FileDownloader downloader,
    IFileStore files,
    VideoTools tools,
    FileScanner scanner,
    ILogger<VideoFetcher> logger
)
{
    private static readonly Meter Meter = new("Reelbase.GenerateVideo");
    private static readonly Histogram<double> Durations = Meter.CreateHistogram<double>(
        "reelbase.job.duration",
        "s",
        "From the acceptance of a job to its stored video"
    );

    /// <summary>Fetches, checks, stores and completes.</summary>
    public async Task<FetchResult> FetchAsync(ClaimedJob job, string url, IReadOnlyCollection<string> hosts, string worker, CancellationToken cancellationToken)
    {
        var video = files.NewTemporaryPath();
        var picture = video + ".jpg";
        try
        {
            var bytes = await downloader.DownloadAsync(url, hosts, video, cancellationToken);
            CrashPoints.Pass("video.downloaded");
            var (metadata, fault) = await tools.ProbeAsync(video, cancellationToken);
            if (fault is not null)
            {
                return new FetchResult.Unusable($"what the provider delivered is not a whole video: {fault}");
            }
            if (!await scanner.IsCleanAsync(video, cancellationToken))
            {
                await database.ExecuteAsync(
                    "select raise_alert('infected_video', $1, $2)",
                    CancellationToken.None,
                    job.JobId.ToString(),
                    $"The virus scanner has refused what {job.Provider} delivered for job {job.JobId}; it was not kept, and the job is refunded."
                );
                return new FetchResult.Unusable("the virus scanner has refused what the provider delivered");
            }
            var hasPicture = await tools.MakeThumbnailAsync(video, picture, cancellationToken);
            var pictureBytes = hasPicture ? new FileInfo(picture).Length : 0;

            // The same names at every attempt: a crash between file and record leaves something that the next attempt overwrites.
            var videoName = $"{job.UserId}/{job.JobId}.mp4";
            var pictureName = $"{job.UserId}/{job.JobId}.jpg";
            await StoreAsync(job, "videos", videoName, video, "video/mp4", cancellationToken);
            if (hasPicture)
            {
                await StoreAsync(job, "thumbnails", pictureName, picture, "image/jpeg", cancellationToken);
            }
            CrashPoints.Pass("video.stored");
            var isDone = await database.ScalarAsync<bool>(
                "select complete_video_job($1, $2, $3, $4, $5, $6, $7::bigint, $8, $9::jsonb)",
                CancellationToken.None,
                job.JobId,
                worker,
                videoName,
                bytes,
                "video/mp4",
                hasPicture ? pictureName : null,
                hasPicture ? pictureBytes : null,
                hasPicture ? "image/jpeg" : null,
                System.Text.Json.JsonSerializer.Serialize(metadata, Json.Options)
            );
            CrashPoints.Pass("video.completed");
            if (isDone)
            {
                Durations.Record(
                    (DateTime.UtcNow - job.CreatedAt).TotalSeconds,
                    new("provider", job.Provider),
                    new KeyValuePair<string, object?>("model", job.ProviderModelId)
                );
            }
            else
            {
                logger.LogInformation("Job {JobId} was finished by somebody else", job.JobId);
            }
            return new FetchResult.Stored();
        }
        catch (ForeignHostException error)
        {
            return new FetchResult.ForeignHost(error.Host, error.IsRedirect, error.Message);
        }
        catch (DownloadException error)
        {
            return error.MayRetry ? new FetchResult.TryAgain(error.Message) : new FetchResult.Unusable(error.Message);
        }
        catch (IOException error) when (PrivateFiles.IsDiskFull(error))
        {
            return new FetchResult.DiskFull();
        }
        catch (IOException error)
        {
            return new FetchResult.TryAgain(error is StorageException ? error.Message : "storage: " + error.GetType().Name, IsOurs: true);
        }
        finally
        {
            File.Delete(video);
            File.Delete(picture);
        }
    }

    private async Task StoreAsync(ClaimedJob job, string bucket, string name, string path, string type, CancellationToken cancellationToken)
    {
        await database.ExecuteAsync("select reserve_storage_object($1, $2, $3, $4)", cancellationToken, bucket, name, job.UserId, job.JobId);
        await files.PutAsync(bucket, name, path, type, cancellationToken);
    }
}
