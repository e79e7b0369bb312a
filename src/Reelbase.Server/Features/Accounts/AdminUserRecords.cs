using System.ComponentModel;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Credits;
using Reelbase.Server.Features.Operations.Traces;
using Reelbase.Server.Features.Purchases;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Accounts;

/// <summary>What to look for, or which page of the newest users.</summary>
public sealed record AdminSearchUsersRequest(
    [property: Description("What to look for; better by admin-find-users")] string? Q = null,
    [property: Description(AdminField.AboutLimit)] int? Limit = null,
    [property: Description(AdminField.AboutBefore)] string? Before = null
);

/// <summary>What to look for.</summary>
public sealed record AdminFindUsersRequest(
    [property: Description("What to look for")] string Q,
    [property: Description(AdminField.AboutLimit)] int? Limit = null
);

/// <summary>Users, and what they were found by.</summary>
public sealed record AdminUsersResponse(IReadOnlyList<AdminUser> Rows, string? FoundBy, Guid? NextBefore);

/// <summary>A user as support sees one.</summary>
public sealed record AdminUser(
    Guid Id,
    string? Email,
    bool IsGuest,
    string Tier,
    int CreditsRemaining,
    int CreditsTotal,
    bool IsAdmin,
    DateTime? BannedAt,
    Guid? MergedInto,
    DateTime? DeletedAt,
    string? Language,
    bool HasApple,
    bool InitialGrantClaimed,
    DateTime CreatedAt,
    DateTime UpdatedAt
);

/// <summary>Which user.</summary>
public sealed record AdminUserRequest([property: Description(AdminField.AboutUser)] Guid UserId);

/// <summary>The figures of a user's jobs; the rate is percent of those that ended, as text with two decimals.</summary>
public sealed record AdminUserFigures(long TotalJobs, long CompletedJobs, long FailedJobs, string SuccessRate);

/// <summary>A user, the figures of their jobs and the last ledger rows.</summary>
public sealed record AdminUserStatsResponse(AdminUser User, AdminUserFigures Stats, IReadOnlyList<AdminLedgerRow> RecentTransactions);

/// <summary>One user, whole.</summary>
public sealed record AdminUserDetailsResponse(
    AdminUser User,
    IReadOnlyList<Guid> MergedGuests,
    AdminUserFigures Stats,
    IReadOnlyList<AdminUserDevice> Devices,
    IReadOnlyList<AdminUserSession> Sessions,
    IReadOnlyList<AdminUserConsent> Consents,
    IReadOnlyList<AdminPurchase> Purchases,
    IReadOnlyList<AdminUserLimit> Limits,
    long GenerationsLastHour,
    IReadOnlyList<AdminErrorRow> Errors,
    IReadOnlyList<AdminUserReport> Reports,
    IReadOnlyList<AdminAction> Audit
);

/// <summary>A device of a user; its id is hidden but for a few characters.</summary>
public sealed record AdminUserDevice(
    string DeviceId,
    bool? Bit0,
    bool? Bit1,
    int RiskScore,
    IReadOnlyList<string> FraudFlags,
    int SuccessCount,
    int FailureCount,
    DateTime? LastQueryAt
);

/// <summary>A session of a user.</summary>
public sealed record AdminUserSession(Guid Id, string Method, DateTime CreatedAt, DateTime RefreshedAt, DateTime? RevokedAt);

/// <summary>What a user agreed to.</summary>
public sealed record AdminUserConsent(string Kind, string Version, DateTime GrantedAt, DateTime? WithdrawnAt);

/// <summary>How often a user did something in the last day.</summary>
public sealed record AdminUserLimit(string Action, long Count, DateTime LastAt);

/// <summary>A video that a user reported.</summary>
public sealed record AdminUserReport(long Id, Guid? JobId, string? Reason, string Status, DateTime CreatedAt);

/// <summary>A user's new tier.</summary>
public sealed record AdminSetTierRequest(
    [property: Description(AdminField.AboutUser)] Guid UserId,
    [property: Description("free or premium")] string Tier,
    [property: Description(AdminField.AboutReason)] string Reason
);

/// <summary>The tier that a user has now: premium stays while a purchase gives it.</summary>
public sealed record AdminTierResponse(bool Success, string Tier);
