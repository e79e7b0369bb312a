using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>One job as its owner sees it.</summary>
/// <param name="QueuePosition">Waiting jobs ahead, from 0; null when it is not waiting.</param>
/// <param name="ExpiresAt">When the video is removed; null when it is kept.</param>
/// <param name="Video">What the video is like; null before it is there.</param>
/// <param name="EstimatedSeconds">Until the video is probably there, while it waits or runs; null once it has ended.</param>
public sealed record JobStatusResponse(
    Guid JobId,
    string Status,
    string Prompt,
    string ModelName,
    int CreditsUsed,
    string? VideoUrl,
    string? ThumbnailUrl,
    string? ErrorCode,
    string? ErrorMessage,
    int? QueuePosition,
    DateTime CreatedAt,
    DateTime? CompletedAt,
    DateTime? ExpiresAt,
    VideoDetails? Video = null,
    int? EstimatedSeconds = null
);

/// <summary>What the stored video is like; a member is null when it is not known.</summary>
/// <param name="DurationSeconds">Its length.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Fps">Frames per second.</param>
/// <param name="HasAudio">Whether there is sound.</param>
public sealed record VideoDetails(decimal? DurationSeconds, int? Width, int? Height, decimal? Fps, bool? HasAudio);

/// <summary>One job in a list.</summary>
public sealed record JobListItem(
    Guid JobId,
    string Prompt,
    string ModelName,
    int CreditsUsed,
    string Status,
    string? VideoUrl,
    string? ThumbnailUrl,
    DateTime CreatedAt
);

/// <summary>A job row as the SQL functions answer it.</summary>
public sealed record JobRow(
    Guid JobId,
    string Status,
    string Prompt,
    string ModelName,
    int CreditsUsed,
    string? VideoUrl,
    string? ThumbnailUrl,
    string? ErrorCode,
    int? QueuePosition,
    DateTime CreatedAt,
    DateTime? CompletedAt,
    string? Language,
    decimal? VideoDurationSeconds,
    int? VideoWidth,
    int? VideoHeight,
    decimal? VideoFps,
    bool? VideoHasAudio,
    int? EstimatedSeconds
);

/// <summary>Turns rows into what goes out: storage keys become addresses, codes become words.</summary>
public sealed class JobView(FileLinks links, IOptions<GenerationOptions> options)
{
    /// <summary>The status answer of a job.</summary>
    public JobStatusResponse Status(HttpContext context, JobRow row)
    {
        var expires = ExpiresAt(row.CreatedAt);
        var language = row.Language ?? AcceptLanguage.Choose(context.Request.Headers.AcceptLanguage.ToString());
        return new(
            row.JobId,
            row.Status,
            row.Prompt,
            row.ModelName,
            row.CreditsUsed,
            links.Address(context, "videos", row.VideoUrl, expires),
            links.Address(context, "thumbnails", row.ThumbnailUrl, expires),
            row.ErrorCode,
            row.ErrorCode is null ? null : ErrorCatalog.Find(row.ErrorCode).Message(language),
            row.QueuePosition,
            row.CreatedAt,
            row.CompletedAt,
            expires,
            row.VideoUrl is null ? null : new(row.VideoDurationSeconds, row.VideoWidth, row.VideoHeight, row.VideoFps, row.VideoHasAudio),
            row.EstimatedSeconds
        );
    }

    /// <summary>The same job in a list.</summary>
    public JobListItem Item(HttpContext context, JobListItem row)
    {
        var expires = ExpiresAt(row.CreatedAt);
        return row with
        {
            VideoUrl = links.Address(context, "videos", row.VideoUrl, expires),
            ThumbnailUrl = links.Address(context, "thumbnails", row.ThumbnailUrl, expires),
        };
    }

    private DateTime? ExpiresAt(DateTime createdAt) => options.Value.RetentionDays == 0 ? null : createdAt.AddDays(options.Value.RetentionDays);
}
