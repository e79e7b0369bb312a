using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Credits.PromoCodes;

/// <summary>What admins can do and see of promo codes.</summary>
internal static class PromoCodesOperations
{
    private static readonly AdminField PromoCode = new("promo_code_id", OtherId, "Which promo code", true);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query("admin-list-promo-codes", "Promo codes and their uses; the codes themselves are not known"),
        Query("admin-list-promo-redemptions", "Who redeemed a promo code", PromoCode, Limit, Before),
        Change(
            "admin-create-promo-code",
            "Make a promo code, which nobody can read again; operators only",
            new AdminField("code", "K7MX-2QRT-9WBD", "6 to 40 letters or digits; capitals, blanks and dashes make no difference", true),
            new("label", "Launch", "What it is for", true),
            new("credits", 10, "What a redemption gives; no more than one admin may give without approval", true),
            new("max_redemptions", 500, "How often it can be redeemed, by everybody together", true),
            new("starts_at", "2027-01-01T00:00:00Z", "Not before; now when absent"),
            new("ends_at", "2027-01-31T00:00:00Z", "Not after"),
            Reason
        ) with
        {
            Example = new { success = true, promo_code_id = OtherId },
        },
        Change("admin-end-promo-code", "End a promo code now; what was redeemed stays; operators only", PromoCode, Reason) with
        {
            Response = typeof(AdminSuccessResponse),
        },
    ];
}
