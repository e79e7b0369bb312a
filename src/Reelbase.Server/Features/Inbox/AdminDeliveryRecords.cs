using System.ComponentModel;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Inbox;

/// <summary>Which webhooks.</summary>
public sealed record AdminListDeliveriesRequest(
    [property: Description("pending, processed or failed")] string? Status = null,
    [property: Description("provider, app_store or apple_account")] string? Inbox = null,
    [property: Description(AdminField.AboutLimit)] int? Limit = null,
    [property: Description(AdminField.AboutBefore)] string? Before = null
);

/// <summary>A page of webhooks, the newest first.</summary>
public sealed record AdminListDeliveriesResponse(IReadOnlyList<AdminDelivery> Rows, long? NextBefore);

/// <summary>A webhook without its payload.</summary>
public sealed record AdminDelivery(
    long Id,
    string Inbox,
    string Provider,
    string EventId,
    string EventType,
    string Status,
    int RetryCount,
    string? LastError,
    Guid? JobId,
    Guid? UserId,
    bool HasPayload,
    bool CanResend,
    DateTime CreatedAt,
    DateTime? ProcessedAt
);

/// <summary>A webhook that is handled once more.</summary>
public sealed record AdminResendDeliveryRequest(
    [property: Description("Which one")] long DeliveryId,
    [property: Description(AdminField.AboutReason)] string Reason
);
