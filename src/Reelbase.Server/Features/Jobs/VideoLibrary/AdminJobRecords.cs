using System.ComponentModel;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>Which jobs.</summary>
public sealed record AdminListJobsRequest(
    [property: Description(AdminField.AboutUser)] Guid? UserId = null,
    [property: Description("pending, processing, completed, failed, or open for all that have not ended")] string? Status = null,
    [property: Description("Which provider")] string? Provider = null,
    [property: Description("How it failed")] string? ErrorCode = null,
    [property: Description(AdminField.AboutLimit)] int? Limit = null,
    [property: Description(AdminField.AboutBefore)] string? Before = null
);

/// <summary>A page of jobs, the newest first.</summary>
public sealed record AdminListJobsResponse(IReadOnlyList<AdminJob> Rows, string? NextBefore);

/// <summary>Which job.</summary>
public sealed record AdminGetJobRequest([property: Description(AdminField.AboutJob)] Guid JobId);

/// <summary>One job from acceptance to push.</summary>
public sealed record AdminJobDetailsResponse(
    AdminJob Job,
    long? QueuePosition,
    IReadOnlyList<AdminJobStep> Timeline,
    IReadOnlyList<AdminJobSubmission> Submissions,
    IReadOnlyList<AdminJobLedgerRow> Ledger,
    IReadOnlyList<AdminJobDelivery> Deliveries,
    IReadOnlyList<AdminJobFile> Files,
    IReadOnlyList<AdminAction> Audit
);

/// <summary>Something that happened to a job.</summary>
public sealed record AdminJobStep(DateTime At, string What, string? Detail);

/// <summary>A submission to the provider, and what it said.</summary>
public sealed record AdminJobSubmission(
    long Id,
    int Attempt,
    string Provider,
    string? ProviderJobId,
    string Outcome,
    string? Detail,
    DateTime CreatedAt,
    DateTime? AnsweredAt,
    long ExpectedCostMicros
);

/// <summary>A ledger row of a job.</summary>
public sealed record AdminJobLedgerRow(long Seq, int Change, string Reason, int BalanceAfter, DateTime CreatedAt);

/// <summary>A webhook about a job.</summary>
public sealed record AdminJobDelivery(long Id, string EventType, string Status, string? LastError, DateTime CreatedAt);

/// <summary>A file of a job.</summary>
public sealed record AdminJobFile(string Bucket, string Name, string State, long? SizeBytes);
