using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Moderation.Reports;

/// <summary>What admins can do and see of reported content.</summary>
internal static class ReportsOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query("admin-list-reports", "Videos that users have reported", new AdminField("status", "open", "open or closed"), Limit),
        Change("admin-close-report", "A report has been dealt with", new AdminField("report_id", 3, "Which one", true), Reason),
    ];
}
