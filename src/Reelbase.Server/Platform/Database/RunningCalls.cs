using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Calls of nodes that run while a migration does. A function keeps the search path with which it was entered, so what an early file says of functions counts for
/// whoever enters one later; those that are inside are awaited.
/// </summary>
internal static class RunningCalls
{
    private const int PollMilliseconds = 50;
    private const int MaxWaitSeconds = 60;

    /// <summary>Returns when every transaction of a node that has begun by now is over. One that takes longer than a minute is left to fail and be repeated by its node.</summary>
    public static async Task AwaitAsync(NpgsqlConnection connection, ILogger logger, CancellationToken cancellationToken)
    {
        var running = await ReadAsync(
            connection,
            """
            select l.virtualxid from pg_locks l join pg_stat_activity a using (pid)
            where l.locktype = 'virtualxid' and l.granted and a.datname = current_database() and a.usename in ('reelbase_api', 'reelbase_worker', 'reelbase_admin')
            """,
            [],
            cancellationToken
        );
        var until = DateTime.UtcNow.AddSeconds(MaxWaitSeconds);
        while (running.Length > 0 && DateTime.UtcNow < until)
        {
            // By asking again and again: a statement that waits would hold up whoever builds an index.
            await Task.Delay(PollMilliseconds, cancellationToken);
            running = await ReadAsync(
                connection,
                "select virtualxid from pg_locks where locktype = 'virtualxid' and granted and virtualxid = any ($1)",
                running,
                cancellationToken
            );
        }
        if (running.Length > 0)
        {
            logger.LogWarning(
                "{Count} calls of nodes have been running for more than {Seconds} s; the migration goes on, and they may have to be repeated",
                running.Length,
                MaxWaitSeconds
            );
        }
    }

    private static async Task<string[]> ReadAsync(NpgsqlConnection connection, string sql, string[] transactions, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        if (transactions.Length > 0)
        {
            command.Parameters.Add(new() { Value = transactions });
        }
        var rows = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(reader.GetString(0));
        }
        return [.. rows];
    }
}
