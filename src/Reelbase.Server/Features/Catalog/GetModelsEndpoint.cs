using System.Text.Json;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Catalog;

/// <summary>A model that can be generated with.</summary>
public sealed record ModelView(
    Guid Id,
    string Name,
    string Category,
    string? Description,
    int CostPerGeneration,
    string PricingType,
    int? CreditsPerSecond,
    JsonElement RequiredFields,
    bool HasAudio,
    bool IsFeatured,
    string? ThumbnailUrl,
    string Provider,
    DateTime? SunsetAt,
    bool IsActive
);

/// <summary>The models on offer.</summary>
public sealed record ModelsResponse(IReadOnlyList<ModelView> Models);

/// <summary><c>GET /get-models</c>: public, cacheable by its strong ETag.</summary>
public static class GetModelsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/get-models", HandleAsync)
            .WithTags("Catalog")
            .WithName("get-models")
            .WithSummary("The models on offer, featured first, then by name")
            .Header("If-None-Match", "An ETag from before; 304 when nothing changed")
            .Produces<ModelsResponse>()
            .Produces(304)
            .Fails(503)
            .Examples(
                null,
                new ModelsResponse([
                    new(
                        Guid.Parse("a0000000-0000-4000-8000-000000000001"),
                        "Veo 3.1 Fast",
                        "text_to_video",
                        "Quick, lifelike clips from a text.",
                        8,
                        "per_second",
                        1,
                        JsonSerializer.SerializeToElement(
                            new
                            {
                                requires_prompt = true,
                                settings = new
                                {
                                    duration = new
                                    {
                                        required = true,
                                        @default = 8,
                                        options = new[] { 4, 6, 8 },
                                    },
                                },
                            }
                        ),
                        true,
                        true,
                        null,
                        "fal",
                        null,
                        true
                    ),
                ])
            );

    private static async Task<IResult> HandleAsync(HttpContext context, ApiDatabase database)
    {
        var rows = await database.ListAsync<ModelRow>(Caller.Anonymous, "select * from get_models()", context.RequestAborted);
        return TaggedJson.Result(context, new ModelsResponse(rows.ConvertAll(row => row.ToView())));
    }

    private sealed class ModelRow
    {
        public Guid Id { get; init; }
        public string Name { get; init; } = "";
        public string Category { get; init; } = "";
        public string? Description { get; init; }
        public int CostPerGeneration { get; init; }
        public string PricingType { get; init; } = "";
        public int? CreditsPerSecond { get; init; }
        public string RequiredFields { get; init; } = "{}";
        public bool HasAudio { get; init; }
        public bool IsFeatured { get; init; }
        public string? ThumbnailUrl { get; init; }
        public string Provider { get; init; } = "";
        public DateTime? SunsetAt { get; init; }
        public bool IsActive { get; init; }

        public ModelView ToView()
        {
            using var fields = JsonDocument.Parse(RequiredFields);
            return new(
                Id,
                Name,
                Category,
                Description,
                CostPerGeneration,
                PricingType,
                CreditsPerSecond,
                fields.RootElement.Clone(),
                HasAudio,
                IsFeatured,
                ThumbnailUrl,
                Provider,
                SunsetAt,
                IsActive
            );
        }
    }
}
