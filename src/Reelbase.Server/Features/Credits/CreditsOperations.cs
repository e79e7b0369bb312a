using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Credits;

/// <summary>What admins can do and see of balances and the ledger.</summary>
internal static class CreditsOperations
{
    // The key, the request and the bounds of Admin's options; no approval, which is admin-approve's to give.
    private const string WithKey = "$1::uuid, $2::jsonb, $3::jsonb, null";

    public static AdminOperation<AdminRefundCreditsRequest, AdminBalanceResponse> Refund { get; } =
        ChangeOf(
            "admin-refund-credits",
            "Give credits back, for a job (no more than is left of its charge) or just so",
            new AdminRefundCreditsRequest(Guid.Parse(UserId), 8, SomeReason, Guid.Parse(JobId)),
            new AdminBalanceResponse(true, 18)
        ) with
        {
            NeedsKey = true,
            Arguments = WithKey,
            MayPend = true,
        };

    public static AdminOperation<AdminAdjustCreditsRequest, AdminBalanceResponse> Adjust { get; } =
        ChangeOf(
            "admin-adjust-credits",
            "Set a balance right, up or down, never below zero",
            new AdminAdjustCreditsRequest(Guid.Parse(UserId), -5, SomeReason),
            new AdminBalanceResponse(true, 5)
        ) with
        {
            NeedsKey = true,
            Arguments = WithKey,
            MayPend = true,
        };

    public static AdminOperation<AdminListLedgerRequest, AdminListLedgerResponse> Ledger { get; } =
        QueryOf(
            "admin-list-ledger",
            "A user's whole ledger with the running balance",
            new AdminListLedgerRequest(Guid.Parse(UserId)),
            new AdminListLedgerResponse([], null)
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Refund, Adjust, Ledger];
}
