using System.Data;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// A database of somebody else's, which is read and never written: one transaction that is read only and sees one moment, for as long as it is open. Row
/// security that would hide rows is an error, since what is hidden would be missing without anybody noticing.
/// </summary>
public sealed class ForeignDatabase : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private int _cursors;

    private ForeignDatabase(NpgsqlConnection connection) => _connection = connection;

    /// <summary>Connects and opens the moment.</summary>
    public static async Task<ForeignDatabase> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            Enlist = false,
            CommandTimeout = 0,
            KeepAlive = 30,
            ApplicationName = "reelbase import (reads only)",
        };
        var connection = new NpgsqlConnection(builder.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            var source = new ForeignDatabase(connection);
            await source.ExecuteAsync(
                "begin transaction isolation level repeatable read, read only; set local row_security = off; set local timezone = 'UTC'; set local datestyle = 'ISO'; "
                    + "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; set local search_path = pg_catalog; "
                    // Cursors are read to their end: a plan for their first rows is a loop in a loop over everybody.
                    + "set local cursor_tuple_fraction = 1",
                cancellationToken
            );
            return source;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The rows of a query of one text column.</summary>
    public async Task<List<string>> ListAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        var rows = new List<string>();
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(reader.IsDBNull(0) ? "" : reader.GetString(0));
        }
        return rows;
    }

    /// <summary>A query of one number.</summary>
    public async Task<long> CountAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(sql, values);
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>A query of two text columns, a key in whose order it is and a row, of which only <paramref name="page"/> rows are here at a time.</summary>
    public async Task<ForeignCursor> ReadAsync(string sql, int page, CancellationToken cancellationToken, params object[] values)
    {
        var name = $"reelbase_{++_cursors}";
        await using var command = Command($"declare {name} no scroll cursor for {sql}", values);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new ForeignCursor(_connection, name, page);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = new NpgsqlCommand(sql, _connection) { CommandType = CommandType.Text };
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        return command;
    }
}

/// <summary>Rows of another database in the order of their keys, a page at a time.</summary>
public sealed class ForeignCursor(NpgsqlConnection connection, string name, int page)
{
    private readonly Queue<(string Key, string Row)> _page = new();
    private bool _isOver;

    /// <summary>The next row without taking it; null at the end.</summary>
    public async ValueTask<(string Key, string Row)?> PeekAsync(CancellationToken cancellationToken)
    {
        if (_page.Count == 0 && !_isOver)
        {
            await using var command = new NpgsqlCommand($"fetch forward {page} from {name}", connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                _page.Enqueue((reader.IsDBNull(0) ? "" : reader.GetString(0), reader.GetString(1)));
            }
            _isOver = _page.Count < page;
        }
        return _page.TryPeek(out var next) ? next : null;
    }

    /// <summary>Takes the row that <see cref="PeekAsync"/> showed.</summary>
    public string Take() => _page.Dequeue().Row;
}
