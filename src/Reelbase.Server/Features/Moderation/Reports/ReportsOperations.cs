using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Moderation.Reports;

/// <summary>What admins can do and see of reported content.</summary>
internal static class ReportsOperations
{
    public static AdminOperation<AdminListReportsRequest, AdminListReportsResponse> List { get; } =
        QueryOf("admin-list-reports", "Videos that users have reported", new AdminListReportsRequest(), new AdminListReportsResponse([]));

    public static AdminOperation<AdminCloseReportRequest, AdminSuccessResponse> Close { get; } =
        ChangeOf("admin-close-report", "A report has been dealt with", new AdminCloseReportRequest(3, SomeReason), new AdminSuccessResponse(true));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [List, Close];
}
