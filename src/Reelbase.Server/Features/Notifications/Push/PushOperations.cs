using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Notifications.Push;

/// <summary>What admins can do and see of pushes.</summary>
internal static class PushOperations
{
    public static AdminOperation<AdminListOutboxRequest, AdminListOutboxResponse> Outbox { get; } =
        QueryOf("admin-list-outbox", "Pushes and alerts", new AdminListOutboxRequest(), new AdminListOutboxResponse([], []));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Outbox];
}
