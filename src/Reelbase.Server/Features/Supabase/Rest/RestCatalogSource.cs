using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>
/// Keeps the catalogue and asks every other second, when there are requests, whether it has changed: a cheap question that needs no right to make event triggers.
/// </summary>
internal sealed class RestCatalogSource(CallerDatabase database, IOptions<RestOptions> options, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan MinPause = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile State? _state;

    private sealed record State(RestCatalog Catalog, string Version, long CheckedAt);

    /// <summary>The catalogue, at most <c>CatalogCheckSeconds</c> old.</summary>
    public Task<RestCatalog> GetAsync(CancellationToken cancellationToken) =>
        GetAsync(TimeSpan.FromSeconds(options.Value.CatalogCheckSeconds), cancellationToken);

    /// <summary>The catalogue as it is now: something was not found in <paramref name="known"/>. Null when that is still right.</summary>
    public async Task<RestCatalog?> ReloadAsync(RestCatalog known, CancellationToken cancellationToken) =>
        await GetAsync(MinPause, cancellationToken) is var now && now != known ? now : null;

    /// <inheritdoc/>
    public void Dispose() => _reading.Dispose();

    private async Task<RestCatalog> GetAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        if (_state is { } fresh && clock.GetElapsedTime(fresh.CheckedAt) <= age)
        {
            return fresh.Catalog;
        }
        await _reading.WaitAsync(cancellationToken);
        try
        {
            var state = _state;
            if (state is not null && clock.GetElapsedTime(state.CheckedAt) <= age)
            {
                return state.Catalog;
            }
            var checkedAt = clock.GetTimestamp();
            var schemas = options.Value.Exposed.ToArray();
            var version = (await database.ScalarAsync<string>("select rest_catalog_version($1)", cancellationToken, [schemas]))!;
            if (version != state?.Version)
            {
                var json = (await database.ScalarAsync<string>("select read_rest_catalog($1)::text", cancellationToken, [schemas]))!;
                state = new(RestCatalog.Parse(json), version, checkedAt);
            }
            else
            {
                state = state with { CheckedAt = checkedAt };
            }
            _state = state;
            return state.Catalog;
        }
        catch (Npgsql.NpgsqlException error)
        {
            throw new RestError(503, "PGRST002", "Could not query the database for the schema cache. Retrying.", null, null, error);
        }
        finally
        {
            _reading.Release();
        }
    }
}
