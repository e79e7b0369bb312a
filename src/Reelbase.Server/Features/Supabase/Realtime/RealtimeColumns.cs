using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>A column of a table whose changes are sent.</summary>
public sealed record LiveColumn(string TableName, string ColumnName, string TypeName);

/// <summary>The tables whose changes are sent, with the columns that signed-in users may read. Read once: they change with a migration, which ends this process.</summary>
internal sealed class RealtimeColumns(ApiDatabase database)
{
    private volatile IReadOnlyDictionary<string, IReadOnlyList<LiveColumn>>? _tables;

    /// <summary>Columns by table, in their order.</summary>
    public async ValueTask<IReadOnlyDictionary<string, IReadOnlyList<LiveColumn>>> GetAsync(CancellationToken cancellationToken) =>
        _tables ??= (await database.ListAsync<LiveColumn>("select table_name, column_name, type_name from list_live_columns()", cancellationToken))
            .GroupBy(column => column.TableName)
            .ToDictionary(table => table.Key, IReadOnlyList<LiveColumn> (table) => [.. table]);
}
