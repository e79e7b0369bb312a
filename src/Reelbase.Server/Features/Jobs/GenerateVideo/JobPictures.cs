using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>Where a provider finds the picture that a job starts from.</summary>
public sealed class JobPictures(WorkerDatabase database, FileLinks links, IOptions<ServerOptions> server, IOptions<GenerationOptions> options)
{
    /// <summary>A link may outlive the submission's deadline by so much: clocks differ.</summary>
    private const int SlackSeconds = 120;

    /// <summary>The address of a job's picture; for one of our own storage a link that opens as long as the job lives. Null when there is none, or none any more.</summary>
    public async Task<string?> AddressAsync(ClaimedJob job, CancellationToken cancellationToken)
    {
        if (job.ImageUrl is null || job.ImageUrl.Contains("://", StringComparison.Ordinal))
        {
            return job.ImageUrl;
        }
        var picture = await database.QuerySingleOrDefaultAsync<StoredPicture>("select * from find_job_picture($1)", cancellationToken, job.JobId);
        return picture is not null && server.Value.PublicUrl is { Length: > 0 } url
            ? links.JobAddress(
                url.TrimEnd('/'),
                job.JobId,
                picture.StoreBucket,
                picture.StoreName,
                DateTime.UtcNow.AddSeconds(options.Value.SubmissionDeadlineSeconds + SlackSeconds)
            )
            : null;
    }
}
