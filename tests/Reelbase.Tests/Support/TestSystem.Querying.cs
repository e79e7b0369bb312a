using Npgsql;

namespace Reelbase.Tests.Support;

/// <summary>What a test reads and writes past the server, as the owner.</summary>
public partial class TestSystem
{
    /// <summary>One value, read as the owner.</summary>
    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(Owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync() is var value and not DBNull ? value! : default(T)!);
    }

    /// <summary>
    /// Statements run as the owner, on connections that are kept, since a new one costs more than most of what it is for. They are reset, so that no setting,
    /// lock or temporary table outlives its statements.
    /// </summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Owner) { NoResetOnClose = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The rows of a query as text, columns parted by bars.</summary>
    public async Task<List<string>> RowsAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Owner);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            var values = new object[reader.FieldCount];
            reader.GetValues(values);
            rows.Add(
                string.Join('|', values.Select(value => value is DBNull ? "" : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)))
            );
        }
        return rows;
    }
}
