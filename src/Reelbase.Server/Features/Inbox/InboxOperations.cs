using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Inbox;

/// <summary>What admins can do and see of webhooks.</summary>
internal static class InboxOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query(
            "admin-list-deliveries",
            "What came in by webhook",
            new AdminField("status", "failed", "pending, processed or failed"),
            new AdminField("inbox", "provider", "provider, app_store or apple_account"),
            Limit,
            Before
        ),
        Change("admin-resend-delivery", "Handle a stored webhook once more", new AdminField("delivery_id", 12, "Which one", true), Reason),
    ];
}
