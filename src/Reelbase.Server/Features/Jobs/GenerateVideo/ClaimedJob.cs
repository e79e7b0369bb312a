using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Telemetry;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>A job whose next step is this worker's.</summary>
public sealed class ClaimedJob : ITraced, IClaimed
{
    /// <inheritdoc/>
    public string ClaimToken { get; set; } = "";

    public Guid JobId { get; init; }
    public Guid UserId { get; init; }

    /// <summary>The stage at which this claim holds the job; it moves with what the claim records.</summary>
    public string Stage { get; set; } = "";
    public int Attempt { get; init; }
    public int FetchAttempt { get; init; }

    /// <summary>Claims in a row, this one included, of which nothing was recorded.</summary>
    public int StalledClaims { get; init; }
    public string Provider { get; init; } = "";
    public string? ProviderModelId { get; init; }

    /// <summary>How the model's row writes a request.</summary>
    public string? ProviderInput { get; init; }
    public string Prompt { get; init; } = "";
    public string Settings { get; init; } = "{}";
    public string? ImageUrl { get; init; }
    public string? ResultUrl { get; init; }
    public DateTime CreatedAt { get; init; }
    public DateTime DeadlineAt { get; init; }
    public bool IsPastDeadline { get; init; }
    public DateTime? CancelRequestedAt { get; init; }
    public long? SubmissionId { get; set; }
    public string? ProviderJobId { get; init; }
    public string? StatusUrl { get; init; }
    public string? SubmissionResultUrl { get; init; }
    public string? CancelUrl { get; init; }
    public string? TraceParent { get; init; }

    /// <summary>Where to ask about it; null before the provider has named it.</summary>
    public SubmissionRef? Reference =>
        ProviderJobId is null ? null : new(ProviderModelId, ProviderJobId, StatusUrl, SubmissionResultUrl, CancelUrl, CancelRequestedAt is not null);
}
