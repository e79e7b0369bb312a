using System.ComponentModel;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Admin;

/// <summary>Nothing has moved: another admin has to approve it, until then.</summary>
public sealed record AdminPendingResponse(bool Pending, Guid ApprovalId, DateTime ExpiresAt);

/// <summary>Which requests for approval.</summary>
public sealed record AdminListApprovalsRequest(
    [property: Description("pending, approved, declined or expired")] string? Status = null,
    [property: Description(AdminField.AboutLimit)] int? Limit = null
);

/// <summary>Requests for approval, the newest first.</summary>
public sealed record AdminListApprovalsResponse(IReadOnlyList<AdminApproval> Rows);

/// <summary>What an admin asked for, what became of it, and what the caller may decide.</summary>
public sealed record AdminApproval(
    Guid ApprovalId,
    string Operation,
    Guid UserId,
    string? JobId,
    int Amount,
    string Reason,
    string Status,
    Guid RequestedBy,
    string? RequestedByEmail,
    Guid? DecidedBy,
    string? DecidedByEmail,
    DateTime? DecidedAt,
    DateTime CreatedAt,
    DateTime ExpiresAt,
    bool CanApprove,
    bool CanDecline
);

/// <summary>A decision on a request for approval.</summary>
public sealed record AdminApproveRequest(
    [property: Description("Which request")] Guid ApprovalId,
    [property: Description("false: decline it")] bool? Approve = null,
    [property: Description("What there is to say about it; 3 to 500 characters")] string? Reason = null
);

/// <summary>How a request was decided: the answer of what was approved, or that it was declined.</summary>
public sealed record AdminDecisionResponse(bool Success, int? NewBalance = null, bool? Declined = null);
