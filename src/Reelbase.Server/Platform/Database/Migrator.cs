using System.Text.RegularExpressions;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Brings a database to the state of this release, and never back to an older one. Migrations run once and may never change;
/// everything that can be restated (functions, policies, grants ...) runs again whenever its content changes. All in one
/// transaction under an advisory lock, so any number of nodes may start at once; indexes that are built beside the
/// traffic follow it, one by one.
/// </summary>
public sealed partial class Migrator(string ownerConnectionString, ILogger logger)
{
    private const long LockKey = 7_263_001;
    private const long ConcurrentLockKey = 7_263_002;
    private const int PollMilliseconds = 200;
    private const int MaxWaitMinutes = 30;
    private const int MaxIndexHours = 12;

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(ownerConnectionString)
    {
        Pooling = false,
        CommandTimeout = MaxWaitMinutes * 60,
        ApplicationName = "reelbase migrate",
    }.ConnectionString;
    private bool _isEarlyDone;

    /// <summary>What is applied; tests put other releases here.</summary>
    internal SchemaRelease Release { get; init; } = SchemaRelease.Current;

    /// <summary>How long a statement waits for a lock: whoever queues behind it waits as well.</summary>
    internal int LockTimeoutMilliseconds { get; init; } = 3_000;

    /// <summary>How often the whole is tried.</summary>
    internal int MaxAttempts { get; init; } = 5;

    /// <summary>The pause after the first attempt; each further one is that much longer.</summary>
    internal int RetryMilliseconds { get; init; } = 1_000;

    /// <summary>Apply files that this database has replaced since, at the same level. Meant for development, where one goes back and forth.</summary>
    public bool Reapply { get; init; }

    /// <summary>Roles whose passwords the operator keeps (<see cref="RolePasswords.KeptByOperator"/>).</summary>
    public IReadOnlyDictionary<string, string> KeptRoles { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether this is our own PostgreSQL, in which nobody else sets passwords.</summary>
    public bool IsPrivate { get; init; }

    private RolePasswordRule Passwords => new(ownerConnectionString, KeptRoles, IsPrivate);

    /// <summary>Runs what is due. With <paramref name="dryRun"/> it only says what would run.</summary>
    /// <returns>What ran, or would run; for a program that is older than the database, nothing and the reason.</returns>
    /// <exception cref="MigrationException">It cannot be done, and nothing was changed.</exception>
    public async Task<MigrationResult> RunAsync(bool dryRun, CancellationToken cancellationToken)
    {
        RolePasswords.Require(ownerConnectionString, KeptRoles);
        await using var connection = await OpenAsync(cancellationToken);
        await CheckEncodingAsync(connection, cancellationToken);
        var plan = Plan(await SchemaJournal.ReadAsync(connection, cancellationToken));
        if (dryRun || plan.Older is not null || (plan.IsDone && !await RolePasswords.AreDueAsync(connection, Passwords, cancellationToken)))
        {
            return plan.Result([]);
        }
        for (var attempt = 1; ; attempt++)
        {
            if (await TryAsync(attempt, cancellationToken) is { } result)
            {
                return result;
            }
            await Task.Delay(RetryMilliseconds * attempt, cancellationToken);
        }
    }

    private Due Plan(SchemaJournal journal)
    {
        var older =
            journal.Level > Release.Level ? $"the database is at schema level {journal.Level} and this program is of level {Release.Level}"
            : journal.Level == Release.Level && !Reapply && journal.Replaced.Contains(Release.Fingerprint)
                ? $"the SQL files of this program were applied before and have been replaced since, at the same schema level {Release.Level}"
            : null;
        if (older is not null)
        {
            return new(journal, [], older, journal.OldestLevel <= Release.Level, true);
        }
        // A function that was dropped and made anew has lost what was granted on it.
        var functionsChange = Release.Files.Any(file =>
            file.Name.EndsWith(".function.sql", StringComparison.Ordinal) && journal.Files.GetValueOrDefault(file.Name) != file.Hash
        );
        var due = new List<SqlFile>();
        foreach (var file in Release.Files)
        {
            var hash = journal.Files.GetValueOrDefault(file.Name);
            if (file.RunsOnce && hash is not null && hash != file.Hash)
            {
                throw new MigrationException($"{file.Name} was applied before and has changed since: put it back as it was and write a new migration instead");
            }
            if (hash != file.Hash || (functionsChange && file.Name.EndsWith(".grant.sql", StringComparison.Ordinal)))
            {
                due.Add(file);
            }
        }
        return new(journal, due, null, true, journal.Fingerprint == Release.Fingerprint && journal.Level == Release.Level);
    }

    /// <summary>One attempt, on a connection of its own, since some errors cost the connection. Null when it may be tried again.</summary>
    private async Task<MigrationResult?> TryAsync(int attempt, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await LockAsync(connection, LockKey, cancellationToken);
        // Whoever held the lock may have done it all.
        var plan = Plan(await SchemaJournal.ReadAsync(connection, cancellationToken));
        if (plan.Older is not null)
        {
            return plan.Result([]);
        }
        var ran = new List<string>();
        if (!plan.IsTransactionDone)
        {
            await RefuseToSkipAsync(connection, plan.Journal, cancellationToken);
            // Nobody calls a database that is only being made. Early files run again with the rest and are in the journal only then: a migrator that dies while it waits leaves them to be done and awaited anew.
            var early = plan.Journal.Level == 0 ? [] : plan.Files.Where(file => file.RunsEarly).ToList();
            if (early.Count > 0 && !_isEarlyDone)
            {
                if (!await ApplyAsync(connection, early, isWhole: false, attempt, cancellationToken))
                {
                    return null;
                }
                await RunningCalls.AwaitAsync(connection, logger, cancellationToken);
                // The next attempt of this process has nobody to wait for: whoever came since found what early files made.
                _isEarlyDone = true;
            }
            if (!await ApplyAsync(connection, plan.Files, isWhole: true, attempt, cancellationToken))
            {
                return null;
            }
            ran.AddRange(plan.Files.Where(file => !file.RunsOutsideTransaction).Select(file => file.Name));
        }
        else if (!await ApplyPasswordsAsync(connection, attempt, cancellationToken))
        {
            return null;
        }
        var report = plan.IsDone ? [] : await ReadReportAsync(connection, cancellationToken);
        // Building an index waits for every older statement, also for one that waits for this lock: so it is given back before.
        await ExecuteAsync(connection, $"select pg_advisory_unlock({LockKey})", cancellationToken);
        ran.AddRange(await ApplyConcurrentAsync(connection, cancellationToken));
        return plan.Result(report) with { Files = ran };
    }

    /// <summary>Applies the transactional files; false when a lock was not free and it may be tried again.</summary>
    private async Task<bool> ApplyAsync(
        NpgsqlConnection connection,
        IReadOnlyList<SqlFile> files,
        bool isWhole,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        await using var watch = LockMonitor.Start(_connectionString, connection.ProcessID);
        var at = "the migration";
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(
                connection,
                $"set local lock_timeout = {LockTimeoutMilliseconds}; set local check_function_bodies = off; set local client_min_messages = warning",
                cancellationToken
            );
            await SayNamesAsync(connection, cancellationToken);
            at = "taking the tables that are altered";
            await TableLocks.TakeAsync(connection, transaction, TableLocks.Of(files), LockTimeoutMilliseconds, cancellationToken);
            await ExecuteAsync(connection, $"set local lock_timeout = {LockTimeoutMilliseconds}", cancellationToken);
            var hasJournal = false;
            foreach (var file in files.Where(file => !file.RunsOutsideTransaction))
            {
                at = file.Name;
                // Roles are made by whoever runs the migration; everything after them belongs to the owner role.
                await ExecuteAsync(connection, file.RunsAsMigrator ? "reset role" : "set local role reelbase_owner", cancellationToken);
                await ExecuteAsync(connection, file.Text, cancellationToken);
                if (!isWhole)
                {
                    continue;
                }
                await (hasJournal ? Task.CompletedTask : ExecuteAsync(connection, SchemaJournal.Tables, cancellationToken));
                hasJournal = true;
                await ExecuteAsync(connection, "set local role reelbase_owner", cancellationToken);
                await SchemaJournal.WriteFileAsync(connection, file, Release.Level, cancellationToken);
            }
            if (isWhole)
            {
                at = "the journal";
                await (hasJournal ? Task.CompletedTask : ExecuteAsync(connection, SchemaJournal.Tables, cancellationToken));
                await SchemaJournal.WriteReleaseAsync(connection, Release, cancellationToken);
                await ExecuteAsync(connection, "reset role", cancellationToken);
                at = "setting the roles' passwords";
                await SetRolePasswordsAsync(connection, cancellationToken);
            }
            await transaction.CommitAsync(cancellationToken);
            return true;
        }
        // A lock that is not free, a deadlock, or a role that another database of the cluster changes: the whole is tried again.
        catch (PostgresException error) when (error.SqlState is "55P03" or "40P01" or "XX000" && attempt < MaxAttempts)
        {
            logger.LogWarning(
                "{File} met a lock and nothing was changed (attempt {Attempt} of {MaxAttempts}); in the way: {Holders}",
                at,
                attempt,
                MaxAttempts,
                watch.Holders ?? "nobody who could be found"
            );
            return false;
        }
        catch (NpgsqlException error)
        {
            var holders = watch.Holders is { } found && error is PostgresException { SqlState: "55P03" or "40P01" } ? $"; the lock is held by {found}" : "";
            var hint = error is PostgresException { Hint: { Length: > 0 } text } ? $" ({text})" : "";
            throw new MigrationException($"{at} failed and nothing was changed: {error.Message}{hint}{holders}", error);
        }
    }

    /// <summary>Runs the files that need to be outside a transaction. A crash leaves the rest, and an index that is not valid is dropped and built again.</summary>
    private async Task<IReadOnlyList<string>> ApplyConcurrentAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var ran = new List<string>();
        if (Plan(await SchemaJournal.ReadAsync(connection, cancellationToken)).IsDone)
        {
            return ran;
        }
        await LockAsync(connection, ConcurrentLockKey, cancellationToken);
        foreach (var file in Plan(await SchemaJournal.ReadAsync(connection, cancellationToken)).Files.Where(file => file.RunsOutsideTransaction))
        {
            try
            {
                await ExecuteAsync(connection, "set role reelbase_owner; set lock_timeout = 0", cancellationToken);
                foreach (var statement in Statements(file))
                {
                    if (!await IsBuiltAsync(connection, statement, cancellationToken))
                    {
                        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = MaxIndexHours * 3600 };
                        await command.ExecuteNonQueryAsync(cancellationToken);
                    }
                }
                await SchemaJournal.WriteFileAsync(connection, file, Release.Level, cancellationToken);
                await ExecuteAsync(connection, "reset role", cancellationToken);
                ran.Add(file.Name);
            }
            catch (NpgsqlException error)
            {
                throw new MigrationException($"{file.Name} failed; everything before it is applied, and the next run goes on here: {error.Message}", error);
            }
        }
        await ExecuteAsync(connection, $"select pg_advisory_unlock({ConcurrentLockKey})", cancellationToken);
        return ran;
    }

    private static IEnumerable<string> Statements(SqlFile file) =>
        Comment().Replace(file.Text, "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static async Task<bool> IsBuiltAsync(NpgsqlConnection connection, string statement, CancellationToken cancellationToken)
    {
        if (CreateIndex().Match(statement) is not { Success: true } match)
        {
            return false;
        }
        var name = match.Groups["name"].Value;
        await using var command = new NpgsqlCommand("select indisvalid from pg_index where indexrelid = to_regclass('public.' || $1)", connection)
        {
            Parameters = { new() { Value = name } },
        };
        var isValid = await command.ExecuteScalarAsync(cancellationToken);
        if (isValid is false)
        {
            await ExecuteAsync(connection, $"drop index concurrently public.{name}", cancellationToken);
        }
        return isValid is true;
    }

    /// <summary>Nodes of the release before the previous one use what may be gone now; only one step at a time can be rolled.</summary>
    private async Task RefuseToSkipAsync(NpgsqlConnection connection, SchemaJournal journal, CancellationToken cancellationToken)
    {
        if (journal.Level == 0 || journal.Level >= Release.OldestLevel)
        {
            return;
        }
        await using var command = new NpgsqlCommand(
            "select string_agg(format('%s (version %s)', name, version), ', ' order by name) from nodes where seen_at > now() - interval '2 minutes'",
            connection
        );
        if (await command.ExecuteScalarAsync(cancellationToken) is string alive)
        {
            throw new MigrationException(
                $"a release was skipped: the database is at schema level {journal.Level} and this program can be rolled from level {Release.OldestLevel} on. Stop every node first, or go through the releases one by one. Nothing was changed. Alive: {alive}"
            );
        }
    }

    /// <summary>By asking again and again: a statement that waits would hold up whoever builds an index.</summary>
    private async Task LockAsync(NpgsqlConnection connection, long key, CancellationToken cancellationToken)
    {
        for (var polls = 0; ; polls++)
        {
            await using var command = new NpgsqlCommand($"select pg_try_advisory_lock({key})", connection);
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
            {
                return;
            }
            var waitedSeconds = polls * PollMilliseconds / 1000;
            if (waitedSeconds >= MaxWaitMinutes * 60)
            {
                throw new MigrationException(
                    $"another migration has not ended within {MaxWaitMinutes} minutes; it is {await LockMonitor.AdvisoryHolderAsync(connection, key, cancellationToken)}. Nothing was changed"
                );
            }
            if (polls % (10_000 / PollMilliseconds) == 10_000 / PollMilliseconds - 1)
            {
                logger.LogInformation(
                    "Waiting for another migration: {Holder}",
                    await LockMonitor.AdvisoryHolderAsync(connection, key, cancellationToken) ?? "it has just ended"
                );
            }
            await Task.Delay(PollMilliseconds, cancellationToken);
        }
    }

    /// <summary>Files may name functions of both schemas as they are; what they make without a schema is made in public.</summary>
    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await InternalSchema.AddToPathAsync(connection, cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task CheckEncodingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select current_setting('server_encoding'), current_database()", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (reader.GetString(0) != "UTF8")
        {
            throw new MigrationException(
                $"the database {reader.GetString(1)} has the encoding {reader.GetString(0)}, which cannot hold every letter and emoji of a prompt; nothing was changed. "
                    + "Create another one (create database NAME encoding 'UTF8' locale 'C.UTF-8' template template0), copy the data into it with pg_dump and pg_restore, and give its address"
            );
        }
    }

    /// <summary>The owner's password may have changed though no file is due; false when another database of the cluster was at it too.</summary>
    private async Task<bool> ApplyPasswordsAsync(NpgsqlConnection connection, int attempt, CancellationToken cancellationToken)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await SetRolePasswordsAsync(connection, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return true;
        }
        catch (PostgresException error) when (error.SqlState is "XX000" && attempt < MaxAttempts)
        {
            return false;
        }
    }

    private async Task SetRolePasswordsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var role in await RolePasswords.SetAsync(connection, Passwords, cancellationToken))
        {
            logger.LogWarning(
                "The password of {Role} was set by an operator and stays: nodes need its address (docs/runbooks/keys.md). To have it derived from the owner's: alter role {Name} password null, and migrate again",
                role,
                role
            );
        }
    }

    private static async Task<List<string>> ReadReportAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        await using var command = new NpgsqlCommand(
            "select line from reelbase.migration_report where created_at > now() - interval '1 hour' order by id",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            lines.Add(reader.GetString(0));
        }
        return lines;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Which names the release's files give, for the file that takes an older database over: a list by hand would miss the next one.</summary>
    private async Task SayNamesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select set_config('reelbase.tables', $1, true), set_config('reelbase.functions', $2, true)", connection)
        {
            Parameters =
            {
                new() { Value = Release.NamesOf("table") },
                new() { Value = Release.NamesOf("function") },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [GeneratedRegex("--[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^create\s+(unique\s+)?index\s+concurrently\s+(if\s+not\s+exists\s+)?(?<name>[a-z0-9_]+)\s", RegexOptions.IgnoreCase)]
    private static partial Regex CreateIndex();

    private sealed record Due(SchemaJournal Journal, IReadOnlyList<SqlFile> Files, string? Older, bool MayServe, bool IsCurrent)
    {
        public bool IsTransactionDone => IsCurrent && Files.All(file => file.RunsOutsideTransaction);

        public bool IsDone => IsCurrent && Files.Count == 0;

        public MigrationResult Result(IReadOnlyList<string> report) => new(Files.Select(file => file.Name).ToList(), report, Older, MayServe);
    }
}

/// <summary>What a migration did.</summary>
/// <param name="Files">The files that ran.</param>
/// <param name="Report">What was found in an adopted database.</param>
/// <param name="Older">Why nothing was changed, when the database is newer than the program.</param>
/// <param name="MayServe">Whether the program works on the database all the same.</param>
public sealed record MigrationResult(IReadOnlyList<string> Files, IReadOnlyList<string> Report, string? Older, bool MayServe);

/// <summary>The database could not be brought up to date; nothing was changed.</summary>
public sealed class MigrationException(string message, Exception? inner = null) : Exception(message, inner);
