using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Purchases;

/// <summary>What a purchase gave that was given to its owner; 0 when it was theirs already.</summary>
public sealed record AdminAssignmentResponse(bool Success, int CreditsAdded);

/// <summary>What admins can do and see of products and purchases.</summary>
internal static class PurchasesOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query("admin-list-products", "What the app sells"),
        Change(
            "admin-save-product",
            "Make a product, or change one",
            new AdminField("product_id", "com.example.credits.25", "Apple's product id", true),
            new("credits", 25, "What it gives", true),
            new("is_active", true, "Whether it is sold"),
            Reason
        ),
        Query(
            "admin-list-purchases",
            "Purchases, newest first",
            new AdminField("environment", "Production", "Production or Sandbox"),
            new AdminField("state", "unowned", "unowned: nobody is known to own it; waiting: its product is not known"),
            Limit,
            Before
        ),
        Change(
            "admin-assign-purchase",
            "Give a purchase without an owner to its owner, once",
            new AdminField("transaction_id", "2000000900000001", "Apple's id; Apple is asked when we do not know it", true),
            User,
            Reason
        ) with
        {
            Response = typeof(AdminAssignmentResponse),
            Example = new AdminAssignmentResponse(true, 25),
        },
    ];
}
