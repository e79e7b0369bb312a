using System.ComponentModel;
using Reelbase.Server.Features.Files;

namespace Reelbase.Server.Features.Operations.Statistics;

/// <summary>Of how many hours.</summary>
public sealed record AdminHoursRequest([property: Description("1 to 8784")] int? Hours = null);

/// <summary>The figures of a range: sums by hour or day, what is open now, and each provider.</summary>
public sealed record AdminOverviewResponse(
    DateTime From,
    string Step,
    IReadOnlyList<AdminJobFigures> Jobs,
    IReadOnlyList<AdminCreditFigures> Credits,
    IReadOnlyList<AdminFailureFigures> Errors,
    IReadOnlyList<AdminModelFigures> Models,
    IReadOnlyList<AdminOpenJobs> Open,
    IReadOnlyList<AdminProviderState> Providers,
    IReadOnlyList<AdminQueue> Queues,
    IReadOnlyList<AdminAttention> Attention,
    AdminStorageUse Storage,
    AdminWaitingWork Waiting
);

/// <summary>Jobs of an hour or day, and the seconds that a video took.</summary>
public sealed record AdminJobFigures(DateTime At, long Completed, long Failed, long Accepted, double Seconds);

/// <summary>Credits of an hour or day.</summary>
public sealed record AdminCreditFigures(DateTime At, long Sold, long Spent, long Refunded);

/// <summary>How many jobs failed in a way.</summary>
public sealed record AdminFailureFigures(string? ErrorCode, long Jobs);

/// <summary>How a model did.</summary>
public sealed record AdminModelFigures(string ModelName, string Provider, long Completed, long Failed);

/// <summary>Jobs that are open at a provider in a stage.</summary>
public sealed record AdminOpenJobs(string Provider, string Stage, long Jobs, int? OldestSeconds);

/// <summary>What is known of a provider.</summary>
public sealed record AdminProviderState(
    string Provider,
    bool IsConfigured,
    bool IsOffered,
    string? Fault,
    string? Detail,
    DateTime? FailingSince,
    DateTime? PausedUntil,
    long SpentTodayMicros
);

/// <summary>A provider's queue: its places, who holds them, and how long a newcomer would wait.</summary>
public sealed record AdminQueue(string Provider, int Places, long Held, long Ambiguous, long Waiting, int OldestSeconds, int ExpectedSeconds, bool IsStarving);

/// <summary>What somebody has to see to.</summary>
public sealed record AdminAttention(string Kind, int Count, string? Subject, string? Target);

/// <summary>What waits, up to a thousand of each.</summary>
public sealed record AdminWaitingWork(long WebhooksFailed, long WebhooksPending, long ReportsOpen, long Claims);

/// <summary>The figures of each theme since a moment.</summary>
public sealed record AdminThemeStatsResponse(DateTime From, IReadOnlyList<AdminThemeFigures> Rows);

/// <summary>How a theme did; the rate is percent of those that ended, as text with two decimals.</summary>
public sealed record AdminThemeFigures(
    Guid ThemeId,
    string? Name,
    long TotalJobs,
    long CompletedJobs,
    long FailedJobs,
    string SuccessRate,
    long CreditsUsed,
    long CreditsReturned
);
