using Npgsql;
using NpgsqlTypes;

namespace Reelbase.Server.Platform.Database;

/// <summary>One connection as the owner role, for work from the command line that no other role may do. It ends with its process.</summary>
public sealed class OwnerSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private OwnerSession(NpgsqlConnection connection) => _connection = connection;

    /// <summary>Connects as whoever may become the owner role, and becomes it.</summary>
    public static async Task<OwnerSession> OpenAsync(string ownerConnectionString, string name, CancellationToken cancellationToken)
    {
        var builder = new NpgsqlConnectionStringBuilder(ownerConnectionString)
        {
            Pooling = false,
            CommandTimeout = 0,
            KeepAlive = 30,
            ApplicationName = name,
        };
        var connection = new NpgsqlConnection(builder.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            var session = new OwnerSession(connection);
            await session.ExecuteAsync("set role reelbase_owner; set search_path = public, internal; set timezone = 'UTC'", cancellationToken);
            return session;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs statements.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(sql, values);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The rows of a query, each as it comes.</summary>
    public async Task<List<T>> ListAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] values)
    {
        var rows = new List<T>();
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }
        return rows;
    }

    /// <summary>One value.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default;
    }

    /// <summary>Copies pairs of a text and a JSON document into a table.</summary>
    public async Task CopyAsync(string table, string columns, IEnumerable<(string Kind, string Row)> rows, CancellationToken cancellationToken)
    {
        await using var writer = await _connection.BeginBinaryImportAsync($"copy {table} ({columns}) from stdin (format binary)", cancellationToken);
        foreach (var (kind, row) in rows)
        {
            await writer.StartRowAsync(cancellationToken);
            await writer.WriteAsync(kind, NpgsqlDbType.Text, cancellationToken);
            await writer.WriteAsync(row, NpgsqlDbType.Jsonb, cancellationToken);
        }
        await writer.CompleteAsync(cancellationToken);
    }

    /// <summary>Runs what <paramref name="act"/> does in one transaction.</summary>
    public async Task InTransactionAsync(Func<Task> act, CancellationToken cancellationToken)
    {
        await using var transaction = await _connection.BeginTransactionAsync(cancellationToken);
        await act();
        await transaction.CommitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = new NpgsqlCommand(sql, _connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        return command;
    }
}
