using System.Text.Json;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Catalog;

/// <summary>A theme: a prompt and settings that somebody has prepared. <see cref="Version"/> rises with each change.</summary>
public sealed record ThemeView(
    Guid Id,
    string Name,
    string? Description,
    string? ThumbnailUrl,
    string Prompt,
    bool IsFeatured,
    bool IsAvailable,
    JsonElement DefaultSettings,
    int Version,
    DateTime CreatedAt,
    DateTime? FeaturedUntil
);

/// <summary>The themes on offer.</summary>
public sealed record ThemesResponse(IReadOnlyList<ThemeView> Themes);

/// <summary><c>GET /get-themes</c>: public, in the language that the request prefers, cacheable by its strong ETag.</summary>
public static class GetThemesEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/get-themes", HandleAsync)
            .WithTags("Catalog")
            .WithName("get-themes")
            .WithSummary("The themes on offer, featured first, then by name")
            .Header("Accept-Language", "en, tr or es: a theme's translation, else English")
            .Header("If-None-Match", "An ETag from before; 304 when nothing changed")
            .Produces<ThemesResponse>()
            .Produces(304)
            .Fails(503)
            .Examples(
                null,
                new ThemesResponse([
                    new(
                        Guid.Parse("5a000000-0000-4000-8000-000000000001"),
                        "Paper boat",
                        "A small journey on still water.",
                        null,
                        "A paper boat drifting over a quiet lake at dawn, mist above the water",
                        true,
                        true,
                        JsonSerializer.SerializeToElement(
                            new
                            {
                                duration = 8,
                                resolution = "720p",
                                aspect_ratio = "16:9",
                            }
                        ),
                        1,
                        new DateTime(2026, 11, 1, 9, 0, 0, DateTimeKind.Utc),
                        null
                    ),
                ])
            );

    private static async Task<IResult> HandleAsync(HttpContext context, ApiDatabase database)
    {
        var language = AcceptLanguage.Choose(context.Request.Headers.AcceptLanguage.ToString());
        context.Response.Headers.Vary = "Accept-Language";
        var rows = await database.ListAsync<ThemeRow>(Caller.Anonymous, "select * from get_themes($1)", context.RequestAborted, language);
        return TaggedJson.Result(context, new ThemesResponse(rows.ConvertAll(row => row.ToView())));
    }

    private sealed class ThemeRow
    {
        public Guid Id { get; init; }
        public string Name { get; init; } = "";
        public string? Description { get; init; }
        public string? ThumbnailUrl { get; init; }
        public string Prompt { get; init; } = "";
        public bool IsFeatured { get; init; }
        public bool IsAvailable { get; init; }
        public string DefaultSettings { get; init; } = "{}";
        public int Version { get; init; }
        public DateTime CreatedAt { get; init; }
        public DateTime? FeaturedUntil { get; init; }

        public ThemeView ToView()
        {
            using var settings = JsonDocument.Parse(DefaultSettings);
            return new(Id, Name, Description, ThumbnailUrl, Prompt, IsFeatured, IsAvailable, settings.RootElement.Clone(), Version, CreatedAt, FeaturedUntil);
        }
    }
}
