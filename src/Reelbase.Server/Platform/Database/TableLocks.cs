using System.Diagnostics;
using System.Text.RegularExpressions;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Tables of the traffic that a migration alters, all of them taken before its first file: each file takes its own, and a migration that has one table while it waits for
/// another would deadlock with whoever has taken them the other way round. It is the migration that is retried, before PostgreSQL would end somebody's transaction.
/// </summary>
internal static partial class TableLocks
{
    /// <summary>Shorter than PostgreSQL's <c>deadlock_timeout</c>.</summary>
    private const int WaitMilliseconds = 700;

    private const int PauseMilliseconds = 50;

    /// <summary>In the order in which requests and workers take them: a user before their jobs, a job before its submissions.</summary>
    private static readonly string[] Order =
    [
        "users",
        "user_consents",
        "provider_states",
        "models",
        "video_jobs",
        "job_submissions",
        "quota_log",
        "storage_objects",
        "push_notifications",
        "installation",
    ];

    /// <summary>Those of them that the files alter, or lock by a new foreign key, if they are more than one.</summary>
    internal static IReadOnlyList<string> Of(IEnumerable<SqlFile> files)
    {
        var named = files
            .Where(file => !file.RunsOutsideTransaction)
            .SelectMany(file => Altered().Matches(file.Text))
            .Select(match => match.Groups["table"].Value.ToLowerInvariant())
            .ToHashSet(StringComparer.Ordinal);
        var altered = Order.Where(named.Contains).ToList();
        return altered.Count > 1 ? altered : [];
    }

    /// <summary>Takes them for the transaction that is open, as far as they exist and are ours.</summary>
    /// <exception cref="PostgresException">55P03 or 40P01: somebody has kept one of them for <paramref name="patienceMilliseconds"/>.</exception>
    public static async Task TakeAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IReadOnlyList<string> tables,
        int patienceMilliseconds,
        CancellationToken cancellationToken
    )
    {
        if (await FindAsync(connection, tables, cancellationToken) is not { Length: > 0 } found)
        {
            return;
        }
        var watch = Stopwatch.StartNew();
        while (true)
        {
            await transaction.SaveAsync("tables", cancellationToken);
            try
            {
                await using var command = new NpgsqlCommand(
                    $"set local role reelbase_owner; set local lock_timeout = {Math.Min(WaitMilliseconds, patienceMilliseconds)}; lock table {found} in access exclusive mode",
                    connection
                );
                await command.ExecuteNonQueryAsync(cancellationToken);
                await transaction.ReleaseAsync("tables", cancellationToken);
                return;
            }
            catch (PostgresException error) when (error.SqlState is "55P03" or "40P01" && watch.ElapsedMilliseconds < patienceMilliseconds)
            {
                // What was taken already is free again.
                await transaction.RollbackAsync("tables", cancellationToken);
                await Task.Delay(PauseMilliseconds, cancellationToken);
            }
        }
    }

    private static async Task<string?> FindAsync(NpgsqlConnection connection, IReadOnlyList<string> tables, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select string_agg('public.' || t.name, ', ' order by t.place) from unnest($1::text[]) with ordinality t (name, place)
            join pg_class c on c.relname = t.name and c.relnamespace = to_regnamespace('public') and c.relkind = 'r'
              and pg_get_userbyid(c.relowner) = 'reelbase_owner'
            """,
            connection
        )
        {
            Parameters = { new() { Value = tables.ToArray() } },
        };
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    [GeneratedRegex(
        @"\balter\s+table\s+(if\s+exists\s+)?(only\s+)?(public\.)?(?<table>\w+)|\breferences\s+(public\.)?(?<table>\w+)|\b(trigger|policy)\s[^;]*?\son\s+(public\.)?(?<table>\w+)",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Altered();
}
