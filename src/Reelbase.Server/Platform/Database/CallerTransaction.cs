using Npgsql;
using NpgsqlTypes;

namespace Reelbase.Server.Platform.Database;

/// <summary>What holds for one transaction of a caller.</summary>
/// <param name="IsReadOnly">Whether it may change nothing.</param>
/// <param name="TimeoutSeconds">How long each statement may take.</param>
/// <param name="SearchPath">Where names without a schema are looked for.</param>
/// <param name="TimeZone">The zone in which times are written.</param>
public sealed record CallerTransactionRules(bool IsReadOnly, double TimeoutSeconds, string SearchPath, string TimeZone);

/// <summary>A transaction that has taken the caller's role and claims.</summary>
public sealed class CallerTransaction
{
    private readonly NpgsqlConnection _connection;
    private readonly double _timeoutSeconds;

    internal CallerTransaction(NpgsqlConnection connection, double timeoutSeconds)
    {
        _connection = connection;
        _timeoutSeconds = timeoutSeconds;
    }

    /// <summary>The first row of a query; null when there is none. Arguments are texts whose type PostgreSQL finds out.</summary>
    /// <param name="sql">The text, made of names that come from the database itself; values are <c>$1, $2 ...</c>.</param>
    /// <param name="arguments">The values.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<object?[]?> FirstAsync(string sql, IReadOnlyList<string?> arguments, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = (int)Math.Ceiling(_timeoutSeconds) + 5 };
        foreach (var argument in arguments)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = (object?)argument ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Unknown });
        }
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return null;
        }
        var row = new object?[reader.FieldCount];
        for (var column = 0; column < row.Length; column++)
        {
            row[column] = reader.IsDBNull(column) ? null : reader.GetValue(column);
        }
        return row;
    }
}

/// <summary>
/// Statements that callers put together themselves, on a pool of its own: whatever they ask, the API's own calls find their connections. Its errors carry
/// PostgreSQL's details, which clients of these endpoints expect and row security has cut; they are never logged.
/// </summary>
public sealed class CallerDatabase(ConnectionStrings strings, int maxConnections, int maxPreparedStatements)
    : RoleDatabase(
        new NpgsqlConnectionStringBuilder(strings.Api)
        {
            IncludeErrorDetail = true,
            MaxPoolSize = maxConnections,
            MinPoolSize = 0,
        }.ConnectionString,
        maxPreparedStatements
    )
{
    /// <summary>
    /// Runs statements as the caller in one transaction that has taken their role and claims, so that row security and grants decide. It is committed
    /// when <paramref name="work"/> returns and rolled back when it throws; what conflicted with another transaction is retried from the start.
    /// </summary>
    public Task<T> InTransactionAsync<T>(
        Caller caller,
        CallerTransactionRules rules,
        Func<CallerTransaction, Task<T>> work,
        CancellationToken cancellationToken
    ) =>
        RetryOnConflictAsync(
            async () =>
            {
                await using var connection = await Source.OpenConnectionAsync(cancellationToken);
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await using (
                    var begin = new NpgsqlCommand(
                        """
                        select set_config('transaction_read_only', $1, true), set_config('statement_timeout', $2, true), set_config('search_path', $3, true),
                          set_config('timezone', $4, true), set_config('request.jwt.claims', $5, true), set_config('role', $6, true)
                        """,
                        connection
                    )
                )
                {
                    AddArguments(
                        begin.Parameters,
                        [
                            rules.IsReadOnly ? "on" : "off",
                            ((int)(rules.TimeoutSeconds * 1000)).ToString(System.Globalization.CultureInfo.InvariantCulture),
                            rules.SearchPath,
                            rules.TimeZone,
                            caller.Claims,
                            caller.Role,
                        ]
                    );
                    await begin.ExecuteNonQueryAsync(cancellationToken);
                }
                if (caller.UserId is not null)
                {
                    // A token lives for an hour; a session that was ended and a ban count from the next request.
                    await using var check = new NpgsqlCommand("select public.require_caller()", connection);
                    await check.ExecuteNonQueryAsync(cancellationToken);
                }
                var result = await work(new CallerTransaction(connection, rules.TimeoutSeconds));
                await transaction.CommitAsync(cancellationToken);
                return result;
            },
            cancellationToken
        );
}
