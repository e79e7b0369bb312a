using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>What admins can do and see of jobs to change.</summary>
internal static class GenerateVideoOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Change("admin-cancel-job", "Cancel a job that has not ended", Job, Reason),
        Change("admin-retry-job", "Retry a failed video; its user pays nothing", Job, Reason) with
        {
            NeedsKey = true,
            Arguments = "$1, $2::jsonb, $3",
        },
    ];
}
