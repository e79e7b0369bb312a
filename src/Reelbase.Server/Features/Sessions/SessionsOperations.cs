using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Sessions;

/// <summary>What admins can do and see of sessions.</summary>
internal static class SessionsOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Change("admin-end-sessions", "Sign a user out everywhere", User, Reason),
        Change(
            "admin-end-session",
            "End one of the calling admin's own sessions; another than the one that asks takes a sign-in of the last ten minutes",
            new AdminField("session_id", OtherId, "Which one", true),
            Reason
        ) with
        {
            Response = typeof(AdminSuccessResponse),
        },
    ];
}
