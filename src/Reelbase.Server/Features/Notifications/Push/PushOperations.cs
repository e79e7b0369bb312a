using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Notifications.Push;

/// <summary>What admins can do and see of pushes.</summary>
internal static class PushOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Query("admin-list-outbox", "Pushes and alerts", Limit)];
}
