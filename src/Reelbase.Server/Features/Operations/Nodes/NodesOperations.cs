using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Operations.Nodes;

/// <summary>What admins can do and see of nodes and checks.</summary>
internal static class NodesOperations
{
    public static AdminOperation<AdminEmptyRequest, AdminSystemResponse> Overview { get; } =
        QueryOf(
            "admin-system",
            "Nodes, schedules, the last cleanup and check",
            new AdminEmptyRequest(),
            new AdminSystemResponse([], [], [], [], [], new(0, 0, null, null, []), [], new("15.10", 8_000_000, 0, 0, 0))
        );

    public static AdminOperation<AdminReasonRequest, AdminSuccessResponse> CheckLedgers { get; } =
        ChangeOf("admin-request-ledger-check", "Ask for a check of every ledger", new AdminReasonRequest(SomeReason), new AdminSuccessResponse(true));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Overview, CheckLedgers];
}
