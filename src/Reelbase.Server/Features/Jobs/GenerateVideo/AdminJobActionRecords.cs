using System.ComponentModel;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>Something that is done to a job.</summary>
public sealed record AdminJobActionRequest(
    [property: Description(AdminField.AboutJob)] Guid JobId,
    [property: Description(AdminField.AboutReason)] string Reason
);

/// <summary>The status of the job that was cancelled: one that its provider has goes on until that stops it.</summary>
public sealed record AdminCancelJobResponse(bool Success, string Status);

/// <summary>The new job.</summary>
public sealed record AdminRetryJobResponse(bool Success, Guid JobId);
