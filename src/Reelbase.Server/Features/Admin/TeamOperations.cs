using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Admin;

/// <summary>What admins can do and see of the support team itself.</summary>
internal static class TeamOperations
{
    public static AdminOperation<AdminListApprovalsRequest, AdminListApprovalsResponse> Approvals { get; } =
        QueryOf(
            "admin-list-approvals",
            "Credits that wait for another admin's approval, and what was decided",
            new AdminListApprovalsRequest(),
            new AdminListApprovalsResponse([])
        );

    public static AdminOperation<AdminApproveRequest, AdminDecisionResponse> Approve { get; } =
        ChangeOf(
            "admin-approve",
            "Carry out what another admin asked for, or decline it; operators only, and never the one who asked",
            new AdminApproveRequest(Guid.Parse(OtherId), true, SomeReason),
            new AdminDecisionResponse(true, 18)
        ) with
        {
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb",
        };

    public static AdminOperation<AdminListActionsRequest, AdminListActionsResponse> Actions { get; } =
        QueryOf("admin-list-actions", "What admins did", new AdminListActionsRequest(), new AdminListActionsResponse([], null));

    public static AdminOperation<AdminEmptyRequest, AdminListAdminsResponse> Admins { get; } =
        QueryOf("admin-list-admins", "Who is an admin", new AdminEmptyRequest(), new AdminListAdminsResponse([]));

    public static AdminOperation<AdminListPasskeysRequest, AdminListPasskeysResponse> Passkeys { get; } =
        QueryOf(
            "admin-list-passkeys",
            "The calling admin's passkeys, or another admin's for an operator",
            new AdminListPasskeysRequest(),
            new AdminListPasskeysResponse([])
        );

    public static AdminOperation<AdminRemovePasskeyRequest, AdminSuccessResponse> RemovePasskey { get; } =
        ChangeOf(
            "admin-remove-passkey",
            "Take a passkey away: one's own, or anybody's by an operator",
            new AdminRemovePasskeyRequest(Guid.Parse(OtherId), SomeReason),
            new AdminSuccessResponse(true)
        );

    public static AdminOperation<AdminEmptyRequest, AdminListSessionsResponse> Sessions { get; } =
        QueryOf(
            "admin-list-sessions",
            "Where the calling admin is signed in: consoles, and tokens of the command line",
            new AdminEmptyRequest(),
            new AdminListSessionsResponse([])
        );

    public static AdminOperation<AdminSetRoleRequest, AdminRoleResponse> SetRole { get; } =
        ChangeOf(
            "admin-set-role",
            "Make an admin support or an operator; operators only",
            new AdminSetRoleRequest(Guid.Parse(UserId), "support", SomeReason),
            new AdminRoleResponse(true, "support")
        );

    public static AdminOperation<AdminUserActionRequest, AdminSuccessResponse> RevokeAdmin { get; } =
        ChangeOf("admin-revoke-admin", "Take an admin's right away", AdminUserActionRequest.Sample, new AdminSuccessResponse(true));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Approvals, Approve, Actions, Admins, Passkeys, RemovePasskey, Sessions, SetRole, RevokeAdmin];
}
