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

    private static async Task<IResult> HandleAsync(HttpContext context, ApiDatabase database, KeptModels kept)
    {
        var latest = kept.Latest;
        var rows = await database.ListAsync<ModelRow>(
            Caller.Anonymous,
            "with m as materialized (select * from get_models()), h as (select sha256(convert_to(string_agg(m::text, '|'), 'UTF8'))::text as list_hash from m) "
                + "select h.list_hash, m.* from h left join m on h.list_hash is distinct from $1::text",
            context.RequestAborted,
            latest?.ListHash
        );
        if (latest is null || rows[0].ListHash != latest.ListHash)
        {
            // One row with nothing but no hash: no model is on offer.
            var models = rows.FindAll(row => row.Id != Guid.Empty).ConvertAll(row => row.ToView());
            kept.Latest = latest = new(rows[0].ListHash, TaggedBody.Of(new ModelsResponse(models)));
        }
        return TaggedJson.Result(context, latest.Body);
    }

    private sealed class ModelRow
    {
        public string? ListHash { get; init; }
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

/// <summary>
/// The list of models as it was answered last. Every app asks for it at each start and a flood can ask for nothing else, and to make it anew costs ten times
/// what a refusal does; so the database is asked whether it has the same list, and only another one is read and written anew.
/// </summary>
public sealed class KeptModels
{
    private volatile KeptList? _latest;

    /// <summary>The latest list; null before the first.</summary>
    internal KeptList? Latest
    {
        get => _latest;
        set => _latest = value;
    }

    /// <summary>A list as it is answered, and the hash of the rows that it was made of (null: of none).</summary>
    internal sealed record KeptList(string? ListHash, TaggedBody Body);
}
