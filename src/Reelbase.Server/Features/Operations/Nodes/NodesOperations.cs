using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Operations.Nodes;

/// <summary>What admins can do and see of nodes and checks.</summary>
internal static class NodesOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [Query("admin-system", "Nodes, schedules, the last cleanup and check"), Change("admin-request-ledger-check", "Ask for a check of every ledger", Reason)];
}
