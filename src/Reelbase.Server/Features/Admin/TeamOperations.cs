using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Admin;

/// <summary>Nothing has moved: another admin has to approve it, until then.</summary>
public sealed record AdminPendingResponse(bool Pending, Guid ApprovalId, DateTime ExpiresAt);

/// <summary>How a request was decided: the answer of what was approved, or that it was declined.</summary>
public sealed record AdminDecisionResponse(bool Success, int? NewBalance = null, bool? Declined = null);

/// <summary>What admins can do and see of the support team itself.</summary>
internal static class TeamOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query(
            "admin-list-approvals",
            "Credits that wait for another admin's approval, and what was decided",
            new AdminField("status", "pending", "pending, approved, declined or expired"),
            Limit
        ),
        Change(
            "admin-approve",
            "Carry out what another admin asked for, or decline it; operators only, and never the one who asked",
            new AdminField("approval_id", OtherId, "Which request", true),
            new("approve", true, "false: decline it"),
            Reason with
            {
                IsRequired = false,
                Description = "What there is to say about it; 3 to 500 characters",
            }
        ) with
        {
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb",
            Response = typeof(AdminDecisionResponse),
            Example = new AdminDecisionResponse(true, 18),
        },
        Query(
            "admin-list-actions",
            "What admins did",
            new AdminField("admin_user_id", UserId, "By whom"),
            new AdminField("target_user_id", UserId, "To whom"),
            new AdminField("target_id", JobId, "To what else"),
            Limit,
            Before
        ),
        Query("admin-list-admins", "Who is an admin"),
        Query("admin-list-passkeys", "The calling admin's passkeys, or another admin's for an operator", User with { IsRequired = false }),
        Change(
            "admin-remove-passkey",
            "Take a passkey away: one's own, or anybody's by an operator",
            new AdminField("passkey_id", OtherId, "Which one", true),
            Reason
        ) with
        {
            Response = typeof(AdminSuccessResponse),
        },
        Query("admin-list-sessions", "Where the calling admin is signed in: consoles, and tokens of the command line"),
        Change("admin-set-role", "Make an admin support or an operator; operators only", User, new("role", "support", "support or operator", true), Reason),
        Change("admin-revoke-admin", "Take an admin's right away", User, Reason) with
        {
            Response = typeof(AdminSuccessResponse),
        },
    ];
}
