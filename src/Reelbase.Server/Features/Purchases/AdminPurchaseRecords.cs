using System.ComponentModel;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Purchases;

/// <summary>Which purchases.</summary>
public sealed record AdminListPurchasesRequest(
    [property: Description("Production or Sandbox")] string? Environment = null,
    [property: Description("unowned: nobody is known to own it; waiting: its product is not known")] string? State = null,
    [property: Description(AdminField.AboutLimit)] int? Limit = null,
    [property: Description(AdminField.AboutBefore)] string? Before = null
);

/// <summary>A page of purchases, the newest first.</summary>
public sealed record AdminListPurchasesResponse(IReadOnlyList<AdminPurchase> Rows, string? NextBefore);

/// <summary>A purchase as support sees one.</summary>
public sealed record AdminPurchase(
    string Environment,
    string TransactionId,
    Guid? UserId,
    string ProductId,
    int Quantity,
    int Credits,
    long? PriceMilliunits,
    string? Currency,
    int RevokedPercentage,
    int CreditsTakenBack,
    string Source,
    DateTime PurchasedAt,
    DateTime? CreditedAt,
    bool IsWaiting,
    DateTime? RefundRequestedAt,
    DateTime CreatedAt
);

/// <summary>A purchase without an owner, and who its owner is.</summary>
public sealed record AdminAssignPurchaseRequest(
    [property: Description("Apple's id; Apple is asked when we do not know it")] string TransactionId,
    [property: Description(AdminField.AboutUser)] Guid UserId,
    [property: Description(AdminField.AboutReason)] string Reason
);

/// <summary>What a purchase gave that was given to its owner; 0 when it was theirs already, or while its product is unknown, which <c>Pending</c> says.</summary>
public sealed record AdminAssignmentResponse(
    bool Success,
    int CreditsAdded,
    [property: Description("True while the product of the purchase is unknown; absent otherwise")] bool? Pending = null
);

/// <summary>What the app sells.</summary>
public sealed record AdminListProductsResponse(IReadOnlyList<AdminProduct> Rows);

/// <summary>Something that the app sells.</summary>
public sealed record AdminProduct(string ProductId, int Credits, string? GrantsTier, bool IsActive, DateTime CreatedAt);

/// <summary>A product, new or changed.</summary>
public sealed record AdminSaveProductRequest(
    [property: Description("Apple's product id")] string ProductId,
    [property: Description("What it gives")] int Credits,
    [property: Description(AdminField.AboutReason)] string Reason,
    [property: Description("premium; none when absent")] string? GrantsTier = null,
    [property: Description("Whether it is sold; it is when absent")] bool? IsActive = null
);
