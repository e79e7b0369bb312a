using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>What admins can do and see of jobs to change.</summary>
internal static class GenerateVideoOperations
{
    public static AdminOperation<AdminJobActionRequest, AdminCancelJobResponse> Cancel { get; } =
        ChangeOf(
            "admin-cancel-job",
            "Cancel a job that has not ended",
            new AdminJobActionRequest(Guid.Parse(JobId), SomeReason),
            new AdminCancelJobResponse(true, "failed")
        );

    public static AdminOperation<AdminJobActionRequest, AdminRetryJobResponse> Retry { get; } =
        ChangeOf(
            "admin-retry-job",
            "Retry a failed video; its user pays nothing",
            new AdminJobActionRequest(Guid.Parse(JobId), SomeReason),
            new AdminRetryJobResponse(true, Guid.Parse(OtherId))
        ) with
        {
            NeedsKey = true,
            Arguments = "$1, $2::jsonb, $3",
        };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Cancel, Retry];
}
