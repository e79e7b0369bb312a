using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>The schema of functions that nobody but the owner executes (ADR 96).</summary>
internal static class InternalSchema
{
    /// <summary>Puts the schema into the session's path, unless it is somebody else's: what they made there would be called by files that run as the migrating role.</summary>
    /// <exception cref="MigrationException">A schema of that name belongs to somebody else.</exception>
    public static async Task AddToPathAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select (select pg_catalog.pg_get_userbyid(nspowner)::pg_catalog.text from pg_catalog.pg_namespace where nspname = 'internal')
            from pg_catalog.set_config('search_path', 'public, internal', false)
            """,
            connection
        );
        if (await command.ExecuteScalarAsync(cancellationToken) is string owner && owner != "reelbase_owner")
        {
            throw new MigrationException(
                $"the schema internal is there already and belongs to {owner}; nothing was changed. Reelbase keeps its internal functions in a schema of that name: give yours another one and migrate again"
            );
        }
    }
}
