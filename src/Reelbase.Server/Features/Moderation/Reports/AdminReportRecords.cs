using System.ComponentModel;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Moderation.Reports;

/// <summary>Which reports.</summary>
public sealed record AdminListReportsRequest(
    [property: Description("open or closed")] string? Status = null,
    [property: Description(AdminField.AboutLimit)] int? Limit = null
);

/// <summary>Reported videos, the newest first.</summary>
public sealed record AdminListReportsResponse(IReadOnlyList<AdminReport> Rows);

/// <summary>A video that somebody reported.</summary>
public sealed record AdminReport(long Id, Guid? UserId, string Reason, string Status, DateTime CreatedAt, DateTime? ClosedAt, AdminJob? Job);

/// <summary>A report that has been dealt with.</summary>
public sealed record AdminCloseReportRequest([property: Description("Which one")] long ReportId, [property: Description(AdminField.AboutReason)] string Reason);
