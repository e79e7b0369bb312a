using System.Text.Json;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>What admins can do and see of jobs to look at.</summary>
internal static class VideoLibraryOperations
{
    private static readonly DateTime Moment = new(2027, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly AdminJob Some = new(
        Guid.Parse(JobId),
        Guid.Parse(UserId),
        "A paper boat",
        Guid.Parse(OtherId),
        "Veo 3.1 Fast",
        null,
        JsonSerializer.SerializeToElement(new { duration = 8 }, Json.Options),
        null,
        "fal",
        null,
        "pending",
        "queued",
        8,
        8,
        0,
        false,
        false,
        null,
        0,
        null,
        null,
        0,
        null,
        null,
        null,
        null,
        null,
        null,
        Moment,
        null,
        null,
        Moment,
        Moment,
        null,
        null,
        null,
        null,
        null
    );

    public static AdminOperation<AdminListJobsRequest, AdminListJobsResponse> List { get; } =
        QueryOf("admin-list-jobs", "Jobs, newest first", new AdminListJobsRequest(), new AdminListJobsResponse([], null));

    public static AdminOperation<AdminGetJobRequest, AdminJobDetailsResponse> Get { get; } =
        QueryOf(
            "admin-get-job",
            "One job from acceptance to push",
            new AdminGetJobRequest(Guid.Parse(JobId)),
            new AdminJobDetailsResponse(Some, 1, [], [], [], [], [], [])
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [List, Get];
}
