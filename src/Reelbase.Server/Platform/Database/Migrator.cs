using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Brings a database to the state of this release. Two kinds of file: migrations run once and may never change; everything
/// that can be restated (functions, policies, grants ...) runs again whenever its content changes. All in one
/// transaction under an advisory lock, so any number of nodes may start at once.
/// </summary>
public sealed class Migrator(string ownerConnectionString, ILogger logger)
{
    private const long LockKey = 7_263_001;

    /// <summary>What each suffix is and when its files run. Once-only files come after the roles and before the rest.</summary>
    private static readonly string[] Order =
    [
        ".roles.sql",
        "/migrations/",
        ".function.sql",
        ".view.sql",
        ".trigger.sql",
        ".policy.sql",
        ".grant.sql",
        ".seed.sql",
    ];

    /// <summary>Runs what is due. With <paramref name="dryRun"/> it only says what would run.</summary>
    /// <returns>The names of the files that ran, or would run, and the lines of the report on adopted data.</returns>
    /// <exception cref="MigrationException">A once-only file was edited, or a file failed; nothing was changed.</exception>
    public async Task<MigrationResult> RunAsync(bool dryRun, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ownerConnectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString
        );
        await connection.OpenAsync(cancellationToken);
        await ExecuteAsync(connection, $"select pg_advisory_lock({LockKey})", cancellationToken);

        var applied = await ReadJournalAsync(connection, cancellationToken);
        var files = Files();
        // A function that was dropped and made anew has lost what was granted on it.
        var functionsChange = files.Any(file =>
            file.Name.EndsWith(".function.sql", StringComparison.Ordinal) && applied.GetValueOrDefault(file.Name) != file.Hash
        );
        var due = new List<SqlFile>();
        foreach (var file in files)
        {
            applied.TryGetValue(file.Name, out var hash);
            if (file.RunsOnce && hash is not null && hash != file.Hash)
            {
                throw new MigrationException($"{file.Name} was applied before and has changed since: put it back as it was and write a new migration instead");
            }
            if (hash != file.Hash || (functionsChange && file.Name.EndsWith(".grant.sql", StringComparison.Ordinal)))
            {
                due.Add(file);
            }
        }
        if (dryRun || due.Count == 0)
        {
            return new(due.ConvertAll(file => file.Name), []);
        }
        Apply(due);
        await SetRolePasswordsAsync(connection, cancellationToken);
        return new(due.ConvertAll(file => file.Name), await ReadReportAsync(connection, cancellationToken));
    }

    /// <summary>All SQL files of this release, in the order in which they run.</summary>
    internal static IReadOnlyList<SqlFile> Files()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return assembly
            .GetManifestResourceNames()
            .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
                return new SqlFile(name, reader.ReadToEnd());
            })
            .OrderBy(file => Array.FindIndex(Order, kind => file.Name.Contains(kind, StringComparison.Ordinal)))
            .ThenBy(file => file.Name, StringComparer.Ordinal)
            .ToList();
    }

    private void Apply(List<SqlFile> due)
    {
        // Roles are made by whoever runs the migration; everything after them belongs to the owner role.
        const string prelude = "set local lock_timeout = '10s'; set local check_function_bodies = off; set local client_min_messages = warning;\n";
        var scripts = due.Select(file => new SqlScript(
            file.Name,
            prelude + (file.RunsAsMigrator ? "reset role;\n" : "set local role reelbase_owner;\n") + file.Text
        ));
        var result = DeployChanges
            .To.PostgresqlDatabase(new NpgsqlConnectionStringBuilder(ownerConnectionString) { Pooling = false }.ConnectionString)
            .WithScripts(scripts)
            .WithScriptNameComparer(new KeepOrder(due))
            .WithVariablesDisabled()
            .WithTransaction()
            .WithExecutionTimeout(TimeSpan.FromMinutes(30))
            .JournalTo(new HashJournal(due))
            .LogTo(new QuietLog(logger))
            .Build()
            .PerformUpgrade();
        if (!result.Successful)
        {
            throw new MigrationException($"{result.ErrorScript?.Name ?? "the migration"} failed and nothing was changed: {result.Error.Message}", result.Error);
        }
    }

    private async Task SetRolePasswordsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var role in (string[])["reelbase_api", "reelbase_worker", "reelbase_admin"])
        {
            var password = ConnectionStrings.DerivePassword(ownerConnectionString, role);
            await ExecuteAsync(connection, $"alter role {role} password '{password}'", cancellationToken);
        }
    }

    private static async Task<Dictionary<string, string>> ReadJournalAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var exists = new NpgsqlCommand("select to_regclass('reelbase.schema_versions') is not null", connection);
        if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
        {
            return applied;
        }
        await using var command = new NpgsqlCommand("select name, hash from reelbase.schema_versions", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            applied[reader.GetString(0)] = reader.GetString(1);
        }
        return applied;
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

    /// <summary>One embedded SQL file.</summary>
    internal sealed record SqlFile(string Name, string Text)
    {
        public bool RunsOnce => Name.Contains("/migrations/", StringComparison.Ordinal);

        /// <summary>Roles, and the adoption of tables that belong to somebody else, need more rights than the owner role has.</summary>
        public bool RunsAsMigrator =>
            Text.StartsWith("-- Runs as the migrating role", StringComparison.Ordinal) || Name.EndsWith(".roles.sql", StringComparison.Ordinal);

        public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text.ReplaceLineEndings("\n"))));
    }

    /// <summary>Keeps content hashes beside the names: DbUp's own journal could not tell an edited file.</summary>
    private sealed class HashJournal(List<SqlFile> due) : IJournal
    {
        public string[] GetExecutedScripts() => [];

        public void EnsureTableExistsAndIsLatestVersion(Func<System.Data.IDbCommand> dbCommandFactory) { }

        public void StoreExecutedScript(SqlScript script, Func<System.Data.IDbCommand> dbCommandFactory)
        {
            var file = due.Single(candidate => candidate.Name == script.Name);
            using var command = dbCommandFactory();
            command.CommandText = """
                set local role reelbase_owner;
                create table if not exists reelbase.schema_versions (
                  name text primary key, hash text not null, applied_at timestamptz not null default now());
                create table if not exists reelbase.migration_report (
                  id bigint generated always as identity primary key, line text not null, created_at timestamptz not null default now());
                insert into reelbase.schema_versions (name, hash) values (@name, @hash)
                on conflict (name) do update set hash = excluded.hash, applied_at = now();
                """;
            Add(command, "name", file.Name);
            Add(command, "hash", file.Hash);
            command.ExecuteNonQuery();
        }

        private static void Add(System.Data.IDbCommand command, string name, string value)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }
    }

    private sealed class KeepOrder(List<SqlFile> due) : IComparer<string>
    {
        public int Compare(string? x, string? y) => due.FindIndex(file => file.Name == x).CompareTo(due.FindIndex(file => file.Name == y));
    }

    private sealed class QuietLog(ILogger logger) : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) { }

        public void LogDebug(string format, params object[] args) { }

        public void LogInformation(string format, params object[] args) { }

        public void LogWarning(string format, params object[] args) =>
            logger.LogWarning("{Message}", string.Format(System.Globalization.CultureInfo.InvariantCulture, format, args));

        public void LogError(string format, params object[] args) { }

        public void LogError(Exception ex, string format, params object[] args) { }
    }
}

/// <summary>What a migration did: the files that ran and what was found in an adopted database.</summary>
public sealed record MigrationResult(IReadOnlyList<string> Files, IReadOnlyList<string> Report);

/// <summary>The database could not be brought up to date; nothing was changed.</summary>
public sealed class MigrationException(string message, Exception? inner = null) : Exception(message, inner);
