using System.ComponentModel;
using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Sessions;

/// <summary>How many sessions of a user were ended.</summary>
public sealed record AdminEndSessionsResponse(bool Success, int Sessions);

/// <summary>A session of the calling admin that ends.</summary>
public sealed record AdminEndSessionRequest([property: Description("Which one")] Guid SessionId, [property: Description(AboutReason)] string Reason);

/// <summary>What admins can do and see of sessions.</summary>
internal static class SessionsOperations
{
    public static AdminOperation<AdminUserActionRequest, AdminEndSessionsResponse> EndAll { get; } =
        ChangeOf("admin-end-sessions", "Sign a user out everywhere", AdminUserActionRequest.Sample, new AdminEndSessionsResponse(true, 2));

    public static AdminOperation<AdminEndSessionRequest, AdminSuccessResponse> End { get; } =
        ChangeOf(
            "admin-end-session",
            "End one of the calling admin's own sessions; another than the one that asks takes a sign-in of the last ten minutes",
            new AdminEndSessionRequest(Guid.Parse(OtherId), SomeReason),
            new AdminSuccessResponse(true)
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [EndAll, End];
}
