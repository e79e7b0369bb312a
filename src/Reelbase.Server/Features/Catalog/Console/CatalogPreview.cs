using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Catalog.Console;

/// <summary>What the app gets, asked as the app asks: by nobody in particular.</summary>
public sealed class CatalogPreview(ApiDatabase database)
{
    /// <summary>The rows of get-models as JSON.</summary>
    public async Task<string> ReadAsync() =>
        (
            await database.ListAsync<string>(
                Caller.Anonymous,
                "select jsonb_build_object('models', coalesce(jsonb_agg(to_jsonb(m)), '[]'))::text from get_models() m",
                CancellationToken.None
            )
        )[0];
}
