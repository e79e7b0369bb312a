using System.ComponentModel;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Credits;

/// <summary>Credits that an admin gives back.</summary>
public sealed record AdminRefundCreditsRequest(
    [property: Description(AdminField.AboutUser)] Guid UserId,
    [property: Description("1 or more")] int Amount,
    [property: Description(AdminField.AboutReason)] string Reason,
    [property: Description(AdminField.AboutJob)] Guid? JobId = null
);

/// <summary>A balance that an admin sets right.</summary>
public sealed record AdminAdjustCreditsRequest(
    [property: Description(AdminField.AboutUser)] Guid UserId,
    [property: Description("Not 0")] int Amount,
    [property: Description(AdminField.AboutReason)] string Reason
);

/// <summary>The new balance after a change of credits.</summary>
public sealed record AdminBalanceResponse(bool Success, int NewBalance);

/// <summary>Whose ledger, and which page of it.</summary>
public sealed record AdminListLedgerRequest(
    [property: Description(AdminField.AboutUser)] Guid UserId,
    [property: Description(AdminField.AboutLimit)] int? Limit = null,
    [property: Description(AdminField.AboutBefore)] string? Before = null
);

/// <summary>A page of a user's ledger, the newest first.</summary>
public sealed record AdminListLedgerResponse(IReadOnlyList<AdminLedgerRow> Rows, long? NextBefore);

/// <summary>One row of the ledger, with the balance after it.</summary>
public sealed record AdminLedgerRow(
    Guid Id,
    long Seq,
    Guid UserId,
    int Change,
    string Reason,
    Guid? JobId,
    string? TransactionId,
    int BalanceAfter,
    string? Note,
    DateTime CreatedAt
);
