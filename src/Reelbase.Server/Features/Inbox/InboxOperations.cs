using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Inbox;

/// <summary>What admins can do and see of webhooks.</summary>
internal static class InboxOperations
{
    public static AdminOperation<AdminListDeliveriesRequest, AdminListDeliveriesResponse> List { get; } =
        QueryOf("admin-list-deliveries", "What came in by webhook", new AdminListDeliveriesRequest(), new AdminListDeliveriesResponse([], null));

    public static AdminOperation<AdminResendDeliveryRequest, AdminSuccessResponse> Resend { get; } =
        ChangeOf("admin-resend-delivery", "Handle a stored webhook once more", new AdminResendDeliveryRequest(12, SomeReason), new AdminSuccessResponse(true));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [List, Resend];
}
