using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Purchases;

/// <summary>A product on sale: what it gives. Its price is Apple's to say (StoreKit).</summary>
public sealed record ProductView(string ProductId, int Credits, string? GrantsTier);

/// <summary>The products on sale.</summary>
public sealed record ProductsResponse(IReadOnlyList<ProductView> Products);

/// <summary><c>GET /get-products</c>: public, cacheable by its strong ETag.</summary>
public static class GetProductsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/get-products", HandleAsync)
            .WithTags("Purchases")
            .WithName("get-products")
            .WithSummary("The products on sale and the credits that they give, the smallest first")
            .Header("If-None-Match", "An ETag from before; 304 when nothing changed")
            .Produces<ProductsResponse>()
            .Produces(304)
            .Fails(503)
            .Examples(null, new ProductsResponse([new("com.example.credits.25", 25, null)]));

    private static async Task<IResult> HandleAsync(HttpContext context, ApiDatabase database)
    {
        var rows = await database.ListAsync<ProductRow>(Caller.Anonymous, "select * from get_products()", context.RequestAborted);
        return TaggedJson.Result(context, new ProductsResponse(rows.ConvertAll(row => new ProductView(row.ProductId, row.Credits, row.GrantsTier))));
    }

    private sealed class ProductRow
    {
        public string ProductId { get; init; } = "";
        public int Credits { get; init; }
        public string? GrantsTier { get; init; }
    }
}
