using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Credits.PromoCodes;

/// <summary>What admins can do and see of promo codes.</summary>
internal static class PromoCodesOperations
{
    private static readonly Guid CodeId = Guid.Parse(OtherId);

    public static AdminOperation<AdminEmptyRequest, AdminListPromoCodesResponse> List { get; } =
        QueryOf(
            "admin-list-promo-codes",
            "Promo codes and their uses; the codes themselves are not known",
            new AdminEmptyRequest(),
            new AdminListPromoCodesResponse([])
        );

    public static AdminOperation<AdminListPromoRedemptionsRequest, AdminListPromoRedemptionsResponse> Redemptions { get; } =
        QueryOf(
            "admin-list-promo-redemptions",
            "Who redeemed a promo code",
            new AdminListPromoRedemptionsRequest(CodeId),
            new AdminListPromoRedemptionsResponse([], null)
        );

    public static AdminOperation<AdminCreatePromoCodeRequest, AdminCreatedPromoCodeResponse> Create { get; } =
        ChangeOf(
            "admin-create-promo-code",
            "Make a promo code, which nobody can read again; operators only",
            new AdminCreatePromoCodeRequest(
                "K7MX-2QRT-9WBD",
                "Launch",
                10,
                500,
                SomeReason,
                new DateTime(2027, 1, 1, 0, 0, 0, DateTimeKind.Utc),
                new DateTime(2027, 1, 31, 0, 0, 0, DateTimeKind.Utc)
            ),
            new AdminCreatedPromoCodeResponse(true, CodeId)
        );

    public static AdminOperation<AdminEndPromoCodeRequest, AdminSuccessResponse> End { get; } =
        ChangeOf(
            "admin-end-promo-code",
            "End a promo code now; what was redeemed stays; operators only",
            new AdminEndPromoCodeRequest(CodeId, SomeReason),
            new AdminSuccessResponse(true)
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [List, Redemptions, Create, End];
}
