using System.ComponentModel;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Credits.PromoCodes;

/// <summary>The newest promo codes.</summary>
public sealed record AdminListPromoCodesResponse(IReadOnlyList<AdminPromoCode> Rows);

/// <summary>A promo code and its uses; of the code itself only the last letters are known.</summary>
public sealed record AdminPromoCode(
    Guid Id,
    string Label,
    string Hint,
    string State,
    int Credits,
    int MaxRedemptions,
    int Redeemed,
    long CreditsGiven,
    long CreditsTakenBack,
    long RedeemedLastDay,
    DateTime? LastRedeemedAt,
    DateTime? StartsAt,
    DateTime? EndsAt,
    DateTime? EndedAt,
    string? CreatedBy,
    DateTime CreatedAt
);

/// <summary>Whose redemptions, and which page of them.</summary>
public sealed record AdminListPromoRedemptionsRequest(
    [property: Description("Which promo code")] Guid PromoCodeId,
    [property: Description(AdminField.AboutLimit)] int? Limit = null,
    [property: Description(AdminField.AboutBefore)] string? Before = null
);

/// <summary>A page of redemptions, the newest first.</summary>
public sealed record AdminListPromoRedemptionsResponse(IReadOnlyList<AdminPromoRedemption> Rows, long? NextBefore);

/// <summary>A redemption: who made it, and whose account that is today.</summary>
public sealed record AdminPromoRedemption(int Number, Guid? UserId, Guid? AccountId, int Credits, int TakenBack, DateTime CreatedAt);

/// <summary>A new promo code.</summary>
public sealed record AdminCreatePromoCodeRequest(
    [property: Description("6 to 40 letters or digits; capitals, blanks and dashes make no difference")] string Code,
    [property: Description("What it is for")] string Label,
    [property: Description("What a redemption gives; no more than one admin may give without approval")] int Credits,
    [property: Description("How often it can be redeemed, by everybody together")] int MaxRedemptions,
    [property: Description(AdminField.AboutReason)] string Reason,
    [property: Description("Not before; now when absent")] DateTime? StartsAt = null,
    [property: Description("Not after")] DateTime? EndsAt = null
);

/// <summary>The promo code that was made.</summary>
public sealed record AdminCreatedPromoCodeResponse(bool Success, Guid PromoCodeId);

/// <summary>A promo code that ends.</summary>
public sealed record AdminEndPromoCodeRequest(
    [property: Description("Which promo code")] Guid PromoCodeId,
    [property: Description(AdminField.AboutReason)] string Reason
);
