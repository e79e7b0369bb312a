using System.ComponentModel;
using System.Text.Json;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Operations.Traces;

/// <summary>Of how many hours.</summary>
public sealed record AdminGroupErrorsRequest([property: Description("1 to 720")] int? Hours = null);

/// <summary>Errors in groups, the most frequent first.</summary>
public sealed record AdminGroupErrorsResponse(IReadOnlyList<AdminErrorGroup> Rows);

/// <summary>Errors of one code at one route.</summary>
public sealed record AdminErrorGroup(string ErrorCode, string? Endpoint, long Count, long Users, DateTime FirstAt, DateTime LastAt);

/// <summary>Which errors.</summary>
public sealed record AdminListErrorsRequest(
    [property: Description("Which code")] string? ErrorCode = null,
    [property: Description("Which route")] string? Endpoint = null,
    [property: Description(AdminField.AboutLimit)] int? Limit = null,
    [property: Description(AdminField.AboutBefore)] string? Before = null
);

/// <summary>A page of errors, the newest first.</summary>
public sealed record AdminListErrorsResponse(IReadOnlyList<AdminLoggedError> Rows, long? NextBefore);

/// <summary>An error that was answered, and how many like it in its minute.</summary>
public sealed record AdminLoggedError(
    long Id,
    Guid? UserId,
    string ErrorCode,
    string? Endpoint,
    JsonElement? ErrorDetails,
    string? TraceId,
    DateTime CreatedAt,
    long Occurrences
);

/// <summary>Which trace or job.</summary>
public sealed record AdminGetTraceRequest([property: Description("A trace id or a job id")] string Id);

/// <summary>What belongs to a trace or a job, the oldest first.</summary>
public sealed record AdminGetTraceResponse(IReadOnlyList<AdminTraceStep> Rows);

/// <summary>Something that happened in a trace.</summary>
public sealed record AdminTraceStep(DateTime At, string What, Guid? UserId, string? Detail);
