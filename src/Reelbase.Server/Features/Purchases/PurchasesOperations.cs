using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Purchases;

/// <summary>What admins can do and see of products and purchases.</summary>
internal static class PurchasesOperations
{
    public static AdminOperation<AdminListPurchasesRequest, AdminListPurchasesResponse> List { get; } =
        QueryOf("admin-list-purchases", "Purchases, newest first", new AdminListPurchasesRequest(), new AdminListPurchasesResponse([], null));

    public static AdminOperation<AdminAssignPurchaseRequest, AdminAssignmentResponse> Assign { get; } =
        ChangeOf(
            "admin-assign-purchase",
            "Give a purchase without an owner to its owner, once",
            new AdminAssignPurchaseRequest("2000000900000001", Guid.Parse(UserId), SomeReason),
            new AdminAssignmentResponse(true, 25)
        );

    public static AdminOperation<AdminEmptyRequest, AdminListProductsResponse> Products { get; } =
        QueryOf("admin-list-products", "What the app sells", new AdminEmptyRequest(), new AdminListProductsResponse([]));

    public static AdminOperation<AdminSaveProductRequest, AdminSuccessResponse> SaveProduct { get; } =
        ChangeOf(
            "admin-save-product",
            "Make a product, or change one",
            new AdminSaveProductRequest("com.example.credits.25", 25, SomeReason, null, true),
            new AdminSuccessResponse(true)
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Products, SaveProduct, List, Assign];
}
