using System.ComponentModel;
using System.Text.Json;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Admin;

/// <summary>Which actions of admins.</summary>
public sealed record AdminListActionsRequest(
    [property: Description("By whom")] Guid? AdminUserId = null,
    [property: Description("To whom")] Guid? TargetUserId = null,
    [property: Description("To what else")] string? TargetId = null,
    [property: Description(AdminField.AboutLimit)] int? Limit = null,
    [property: Description(AdminField.AboutBefore)] string? Before = null
);

/// <summary>A page of the audit, the newest first.</summary>
public sealed record AdminListActionsResponse(IReadOnlyList<AdminAction> Rows, long? NextBefore);

/// <summary>What an admin did; nobody's id where the command line did it.</summary>
public sealed record AdminAction(
    long Id,
    Guid? AdminUserId,
    string? AdminEmail,
    string ActionType,
    Guid? TargetUserId,
    Guid? TargetModelId,
    string? TargetId,
    int? Amount,
    string Reason,
    JsonElement Details,
    DateTime CreatedAt
);

/// <summary>The support team.</summary>
public sealed record AdminListAdminsResponse(IReadOnlyList<AdminTeamMember> Rows);

/// <summary>An admin.</summary>
public sealed record AdminTeamMember(
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
    DateTime UpdatedAt,
    string Role,
    bool CanSignIn,
    DateTime? LockedUntil,
    DateTime? LastSessionAt
);

/// <summary>Whose passkeys.</summary>
public sealed record AdminListPasskeysRequest([property: Description(AdminField.AboutUser)] Guid? UserId = null);

/// <summary>An admin's passkeys.</summary>
public sealed record AdminListPasskeysResponse(IReadOnlyList<AdminPasskey> Rows);

/// <summary>A passkey.</summary>
public sealed record AdminPasskey(Guid PasskeyId, string Name, DateTime CreatedAt, DateTime? LastUsedAt);

/// <summary>A passkey that goes.</summary>
public sealed record AdminRemovePasskeyRequest(
    [property: Description("Which one")] Guid PasskeyId,
    [property: Description(AdminField.AboutReason)] string Reason
);

/// <summary>The calling admin's sessions.</summary>
public sealed record AdminListSessionsResponse(IReadOnlyList<AdminOwnSession> Rows);

/// <summary>A console, or a token of the command line.</summary>
public sealed record AdminOwnSession(Guid SessionId, DateTime CreatedAt, DateTime LastUsedAt, bool IsCurrent);

/// <summary>An admin's new role.</summary>
public sealed record AdminSetRoleRequest(
    [property: Description(AdminField.AboutUser)] Guid UserId,
    [property: Description("support or operator")] string Role,
    [property: Description(AdminField.AboutReason)] string Reason
);

/// <summary>The role that an admin has now.</summary>
public sealed record AdminRoleResponse(bool Success, string Role);
