using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Credits;

/// <summary>The new balance after a change of credits.</summary>
public sealed record AdminBalanceResponse(bool Success, int NewBalance);

/// <summary>What admins can do and see of balances and the ledger.</summary>
internal static class CreditsOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Change(
            "admin-refund-credits",
            "Give credits back, for a job (no more than is left of its charge) or just so",
            User,
            new("amount", 8, "1 or more", true),
            Reason,
            Job with
            {
                IsRequired = false,
            }
        ) with
        {
            NeedsKey = true,
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb, null",
            MayPend = true,
            Response = typeof(AdminBalanceResponse),
            Example = new AdminBalanceResponse(true, 18),
        },
        Change("admin-adjust-credits", "Set a balance right, up or down, never below zero", User, new("amount", -5, "Not 0", true), Reason) with
        {
            NeedsKey = true,
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb, null",
            MayPend = true,
            Response = typeof(AdminBalanceResponse),
            Example = new AdminBalanceResponse(true, 5),
        },
        Query("admin-list-ledger", "A user's whole ledger with the running balance", User, Limit, Before),
    ];
}
