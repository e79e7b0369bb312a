using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>What the database says of itself: which files it has, and which releases applied them.</summary>
/// <param name="Files">Hashes by name.</param>
/// <param name="Level">The level of the release that came last; 0 for a database that is not ours yet.</param>
/// <param name="OldestLevel">The oldest program that still works on it.</param>
/// <param name="Fingerprint">The whole set of files that came last.</param>
/// <param name="Replaced">Sets of files that were applied once and replaced since.</param>
internal sealed record SchemaJournal(IReadOnlyDictionary<string, string> Files, int Level, int OldestLevel, string Fingerprint, IReadOnlySet<string> Replaced)
{
    /// <summary>
    /// The journal's tables. Releases before levels kept theirs in <c>schema_versions</c>; it stays as the last of them left it, so
    /// that such a program finds its own hashes when it starts and applies nothing. One that finds others is refused by the trigger,
    /// and its whole transaction with it.
    /// </summary>
    public const string Tables = """
        set local role reelbase_owner;
        create table if not exists reelbase.schema_versions (
          name text primary key, hash text not null, applied_at timestamptz not null default now());
        create table if not exists reelbase.migration_report (
          id bigint generated always as identity primary key, line text not null, created_at timestamptz not null default now());
        create table if not exists reelbase.schema_releases (
          id bigint generated always as identity primary key, level integer not null, oldest_level integer not null,
          fingerprint text not null, applied_at timestamptz not null default now());
        do $$
        begin
          if to_regclass('reelbase.schema_files') is null then
            create table reelbase.schema_files (
              name text primary key, hash text not null, level integer not null, applied_at timestamptz not null default now());
            insert into reelbase.schema_files (name, hash, level, applied_at)
            select name, hash, 1, applied_at from reelbase.schema_versions;
          end if;
        end $$;
        create or replace function reelbase.refuse_older_program() returns trigger
        language plpgsql set search_path = pg_catalog, pg_temp as $$
        begin
          raise exception 'the database belongs to a newer release of Reelbase, and this older program would put its own functions back'
            using hint = 'Start the newer program. To start this one beside it, set Database__MigrateAtStart=false.';
        end $$;
        create or replace trigger refuse_older_program before insert or update or delete or truncate on reelbase.schema_versions
          for each statement execute function reelbase.refuse_older_program();
        """;

    /// <summary>Reads it, whichever release wrote it.</summary>
    public static async Task<SchemaJournal> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var table = await ScalarAsync(
            connection,
            "select coalesce(to_regclass('reelbase.schema_files'), to_regclass('reelbase.schema_versions'))::text",
            cancellationToken
        );
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        if (table is not string name)
        {
            return new(files, 0, 0, "", new HashSet<string>());
        }
        await using (var command = new NpgsqlCommand($"select name, hash from {name} order by applied_at", connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                // Files that say how something is now were named with their folder once; the object is the same wherever its file lies, and what came last counts.
                var path = reader.GetString(0);
                files[IsFolderName(path) ? path[(path.LastIndexOf('/') + 1)..] : path] = reader.GetString(1);
            }
        }
        var (level, oldest, fingerprint) = (SchemaRelease.FirstLevel, SchemaRelease.FirstLevel, "");
        var replaced = new HashSet<string>(StringComparer.Ordinal);
        if (await ScalarAsync(connection, "select to_regclass('reelbase.schema_releases') is not null", cancellationToken) is true)
        {
            await using var command = new NpgsqlCommand("select level, oldest_level, fingerprint from reelbase.schema_releases order by id", connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                replaced.Add(fingerprint);
                (level, oldest, fingerprint) = (reader.GetInt32(0), reader.GetInt32(1), reader.GetString(2));
            }
            replaced.Remove(fingerprint);
        }
        return new(files, level, oldest, fingerprint, replaced);
    }

    /// <summary>Notes that a file was applied; in the transaction that applied it, when there is one.</summary>
    public static async Task WriteFileAsync(NpgsqlConnection connection, SqlFile file, int level, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            insert into reelbase.schema_files (name, hash, level) values ($1, $2, $3)
            on conflict (name) do update set hash = excluded.hash, level = excluded.level, applied_at = now()
            """,
            connection
        )
        {
            Parameters =
            {
                new() { Value = file.Name },
                new() { Value = file.Hash },
                new() { Value = level },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Notes which release the database has now.</summary>
    public static async Task WriteReleaseAsync(NpgsqlConnection connection, SchemaRelease release, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("insert into reelbase.schema_releases (level, oldest_level, fingerprint) values ($1, $2, $3)", connection)
        {
            Parameters =
            {
                new() { Value = release.Level },
                new() { Value = release.OldestLevel },
                new() { Value = release.Fingerprint },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static bool IsFolderName(string name) =>
        name.StartsWith("Features/", StringComparison.Ordinal) || name.StartsWith("Platform/", StringComparison.Ordinal);

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}
