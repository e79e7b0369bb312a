using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>What admins can do and see of jobs to look at.</summary>
internal static class VideoLibraryOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query(
            "admin-list-jobs",
            "Jobs, newest first",
            User with
            {
                IsRequired = false,
            },
            new AdminField("status", "failed", "pending, processing, completed, failed, or open for all that have not ended"),
            new AdminField("provider", "fal", "Which provider"),
            new AdminField("error_code", ErrorCodes.ProviderUnavailable, "How it failed"),
            Limit,
            Before
        ),
        Query("admin-get-job", "One job from acceptance to push", Job),
    ];
}
