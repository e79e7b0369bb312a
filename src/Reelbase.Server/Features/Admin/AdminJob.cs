using System.Text.Json;
using System.Text.Json.Serialization;

namespace Reelbase.Server.Features.Admin;

/// <summary>A job as support sees one.</summary>
public sealed record AdminJob(
    Guid JobId,
    Guid UserId,
    string Prompt,
    Guid? ModelId,
    string ModelName,
    Guid? ThemeId,
    JsonElement Settings,
    string? ImageUrl,
    string Provider,
    string? ProviderJobId,
    string Status,
    string Stage,
    int CreditsUsed,
    int CreditsCharged,
    int CreditsReturned,
    bool IsCreditsExempt,
    [property: JsonPropertyName("paid_by_house")] bool IsAtOurCost,
    Guid? RetryOf,
    int StalledClaims,
    string? ErrorCode,
    string? ErrorMessage,
    int Attempt,
    long? ProviderCostMicros,
    string? Video,
    string? Thumbnail,
    decimal? VideoDurationSeconds,
    int? VideoWidth,
    int? VideoHeight,
    DateTime CreatedAt,
    DateTime? SubmittedAt,
    DateTime? CompletedAt,
    DateTime? DeadlineAt,
    DateTime? RunAfter,
    DateTime? LeaseUntil,
    string? LeasedBy,
    DateTime? CancelRequestedAt,
    DateTime? DeletedAt,
    string? TraceId
);
