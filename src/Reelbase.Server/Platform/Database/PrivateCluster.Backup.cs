using System.Globalization;
using System.Text;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>Backups of the private PostgreSQL: a base backup, the archive of its write-ahead log, and a new cluster from both at any moment between.</summary>
public sealed partial class PrivateCluster
{
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromMinutes(30);

    /// <summary>The settings that make the server keep every finished piece of its log in a directory (PostgreSQL manual, "Continuous Archiving").</summary>
    /// <param name="archive">The directory; better on another disk or machine.</param>
    /// <param name="timeoutSeconds">Seconds after which a piece that is not full is kept too: how much a lost disk may cost.</param>
    public static Dictionary<string, string> ArchiveSettings(string archive, int timeoutSeconds)
    {
        var directory = Path.GetFullPath(archive);
        if (directory.Any(letter => "'\"\\%$`".Contains(letter, StringComparison.Ordinal)))
        {
            throw new PrivateClusterException($"Database:WalArchiveDirectory may not hold quotes, backslashes, percent or dollar signs: {directory}");
        }
        return new()
        {
            ["archive_mode"] = "on",
            ["archive_timeout"] = timeoutSeconds.ToString(CultureInfo.InvariantCulture),
            ["wal_level"] = "replica",
            // Never over an existing piece, and never half of one.
            ["archive_command"] = $"test ! -f \"{directory}/%f\" && cp \"%p\" \"{directory}/%f.part\" && mv \"{directory}/%f.part\" \"{directory}/%f\"",
        };
    }

    /// <summary>Makes a directory that the account of PostgreSQL may write to.</summary>
    public static async Task PrepareDirectoryAsync(string directory, CancellationToken cancellationToken)
    {
        // The program that gives it away stands in another folder.
        directory = Path.GetFullPath(directory);
        Directory.CreateDirectory(directory);
        if ((await UnprivilegedPrefixAsync(cancellationToken)).Length > 0)
        {
            await RunPlainAsync(["chown", "postgres:", directory], cancellationToken);
        }
    }

    /// <summary>Takes a base backup while everything goes on; answers its directory.</summary>
    /// <param name="into">Where backups are kept; the new one becomes a directory in it, whole or not at all.</param>
    public async Task<string> BackUpAsync(string into, CancellationToken cancellationToken)
    {
        await PrepareDirectoryAsync(into, cancellationToken);
        var name = Path.Combine(Path.GetFullPath(into), DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture));
        var unfinished = name + ".part";
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        var passFile = Path.Combine(_directory, "backup.pgpass");
        await Storage.PrivateFiles.WriteAsync(passFile, $"*:*:*:{server.Username}:{server.Password}\n", cancellationToken);
        try
        {
            if (_asPostgres.Length > 0)
            {
                await RunPlainAsync(["chown", "postgres:", passFile], cancellationToken);
            }
            await RunAsync(
                [
                    "pg_basebackup",
                    "-D",
                    unfinished,
                    "-X",
                    "stream",
                    "-c",
                    "fast",
                    "-d",
                    $"host=127.0.0.1 port={server.Port} user={server.Username} passfile='{passFile}'",
                ],
                cancellationToken
            );
        }
        finally
        {
            File.Delete(passFile);
        }
        // The restored server asks for the same password, which stands outside its data.
        File.Copy(PasswordFile, Path.Combine(unfinished, "reelbase.password"));
        Directory.Move(unfinished, name);
        return name;
    }

    /// <summary>Makes a new private PostgreSQL from a base backup and the archive, as everything was at a moment.</summary>
    /// <param name="backup">A directory that <see cref="BackUpAsync"/> made.</param>
    /// <param name="archive">The archive of the log; null: the moment of the backup itself.</param>
    /// <param name="until">The moment; null: the end of the archive.</param>
    /// <param name="directory">The home of the new cluster; it may not exist.</param>
    public static async Task<PrivateCluster> RestoreAsync(
        string backup,
        string? archive,
        DateTime? until,
        string directory,
        string? binDirectory,
        IReadOnlyDictionary<string, string> settings,
        CancellationToken cancellationToken
    )
    {
        var password = Path.Combine(backup, "reelbase.password");
        if (!File.Exists(password) || !File.Exists(Path.Combine(backup, "backup_label")))
        {
            throw new PrivateClusterException($"{backup} is not a finished backup: give one of the directories that admin backup made");
        }
        var home = HomeOf(directory, await UnprivilegedPrefixAsync(cancellationToken));
        var data = Path.Combine(home, "data");
        if (Directory.Exists(data))
        {
            throw new PrivateClusterException($"{directory} holds a PostgreSQL already; a restore never overwrites one: give a new directory");
        }
        Directory.CreateDirectory(home);
        await RunPlainAsync(["cp", "-a", Path.GetFullPath(backup), data], cancellationToken);
        File.Move(Path.Combine(data, "reelbase.password"), Path.Combine(home, "password"));
        // Before it starts for the first time: whatever opens this database sees that it was restored, and submits nothing until that was dealt with.
        await File.AppendAllTextAsync(
            Path.Combine(data, "postgresql.auto.conf"),
            $"\nreelbase.restored_at = '{DateTime.UtcNow:yyyyMMdd'T'HHmmss.ffffff'Z'}/{Guid.NewGuid():N}'\n",
            cancellationToken
        );
        if (archive is not null)
        {
            var recovery = new StringBuilder($"\nrestore_command = 'cp \"{Path.GetFullPath(archive)}/%f\" \"%p\"'\nrecovery_target_action = 'promote'\n");
            if (until is { } moment)
            {
                recovery.Append(CultureInfo.InvariantCulture, $"recovery_target_time = '{moment.ToUniversalTime():yyyy-MM-dd HH:mm:ss.ffffff}+00'\n");
            }
            await File.AppendAllTextAsync(Path.Combine(data, "postgresql.auto.conf"), recovery.ToString(), cancellationToken);
            await File.WriteAllTextAsync(Path.Combine(data, "recovery.signal"), "", cancellationToken);
        }
        if ((await UnprivilegedPrefixAsync(cancellationToken)).Length > 0)
        {
            await RunPlainAsync(["chown", "-R", "postgres:", home], cancellationToken);
        }
        var cluster = await StartAsync(directory, binDirectory, settings, cancellationToken);
        await cluster.WaitForPromotionAsync(cancellationToken);
        return cluster;
    }

    private async Task WaitForPromotionAsync(CancellationToken cancellationToken)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (watch.Elapsed < RecoveryLimit)
        {
            await using var connection = new NpgsqlConnection(ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("select pg_is_in_recovery()", connection);
            if (await command.ExecuteScalarAsync(cancellationToken) is false)
            {
                // Done with: a later start must not look for the archive again.
                foreach (var name in new[] { "restore_command", "recovery_target_time", "recovery_target_action" })
                {
                    await using var reset = new NpgsqlCommand($"alter system reset {name}", connection);
                    await reset.ExecuteNonQueryAsync(cancellationToken);
                }
                return;
            }
            await Task.Delay(200, cancellationToken);
        }
        throw new PrivateClusterException(
            $"the restored PostgreSQL was still recovering after {RecoveryLimit.TotalMinutes:0} minutes; its log is {Path.Combine(_directory, "server.log")}"
        );
    }

    /// <summary>Where a cluster really lives: a home below root's own folder cannot be entered by the account that PostgreSQL insists on.</summary>
    private static string HomeOf(string directory, string[] asPostgres)
    {
        var home = Path.GetFullPath(directory);
        return asPostgres.Length > 0 && !IsReachableByOthers(home)
            ? Path.Combine("/var/lib/reelbase", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(home)))[..16])
            : home;
    }
}
