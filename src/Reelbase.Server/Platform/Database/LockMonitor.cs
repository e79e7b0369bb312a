using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>Notes, from a connection of its own, who holds what another connection waits for: afterwards nobody could say.</summary>
internal sealed class LockMonitor : IAsyncDisposable
{
    private const int PollMilliseconds = 100;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _task;

    private LockMonitor(string connectionString, int watched) => _task = WatchAsync(connectionString, watched);

    /// <summary>Who was in the way last; null when nobody was.</summary>
    public string? Holders { get; private set; }

    /// <summary>Begins to watch the session with this process id.</summary>
    public static LockMonitor Start(string connectionString, int watched) => new(connectionString, watched);

    /// <summary>Who holds the advisory lock of <paramref name="key"/>.</summary>
    public static async Task<string?> AdvisoryHolderAsync(NpgsqlConnection connection, long key, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"""
            {Describe} where pid in (select pid from pg_locks where locktype = 'advisory' and granted
              and database = (select oid from pg_database where datname = current_database())
              and classid::bigint << 32 | objid::bigint = $1)
            """,
            connection
        )
        {
            Parameters = { new() { Value = key } },
        };
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _task;
        _over.Dispose();
    }

    /// <summary>The statement itself is left out: it may hold what users wrote.</summary>
    private const string Describe = """
        select string_agg(format('pid %s (application_name %s, user %s, %s, transaction since %s, query since %s)', pid,
          coalesce(nullif(application_name, ''), '-'), coalesce(usename, '-'), coalesce(state, '-'),
          coalesce(to_char(xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'), '-'),
          coalesce(to_char(query_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'), '-')), ', ' order by pid)
        from pg_stat_activity
        """;

    private async Task WatchAsync(string connectionString, int watched)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(_over.Token);
            await using var command = new NpgsqlCommand($"{Describe} where pid = any (pg_blocking_pids($1))", connection)
            {
                Parameters = { new() { Value = watched } },
            };
            while (!_over.IsCancellationRequested)
            {
                Holders = await command.ExecuteScalarAsync(_over.Token) as string ?? Holders;
                await Task.Delay(PollMilliseconds, _over.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or NpgsqlException)
        {
            // Without a second connection the migration goes on, and its error names nobody.
        }
    }
}
