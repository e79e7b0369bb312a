using System.ComponentModel;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Notifications.Push;

/// <summary>How much of what went out.</summary>
public sealed record AdminListOutboxRequest([property: Description(AdminField.AboutLimit)] int? Limit = null);

/// <summary>What went out and what waits, the newest first.</summary>
public sealed record AdminListOutboxResponse(IReadOnlyList<AdminPush> Pushes, IReadOnlyList<AdminAlert> Alerts);

/// <summary>A push; of the phone's token the last six characters.</summary>
public sealed record AdminPush(
    Guid Id,
    Guid UserId,
    Guid? JobId,
    string Event,
    string Environment,
    string Phone,
    string Status,
    int Attempt,
    string? LastError,
    DateTime CreatedAt,
    DateTime? FinishedAt
);

/// <summary>An alert to the operators.</summary>
public sealed record AdminAlert(long Id, string Kind, string Message, string Status, int Attempt, string? LastError, DateTime CreatedAt);
