using System.CommandLine;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Cli;

/// <summary>Backups of the private PostgreSQL from the command line. Whoever has a PostgreSQL of their own uses its own tools (docs/runbooks/restore.md).</summary>
internal static class BackupCommands
{
    /// <summary>The verbs.</summary>
    public static IEnumerable<Command> New()
    {
        var into = Words.About<string>("DIR", "where it is written");
        var backup = Words.About<string>("BACKUP", "what admin backup wrote");
        var wal = Words.Text("--wal", "DIR", "the archive (Database:WalArchiveDirectory)");
        var until = Words.Time("--until", "the moment to go back to; default: all that the archive has");
        return
        [
            AdminVerbs.New(
                "backup",
                "a backup of the private PostgreSQL, while everything goes on",
                (builder, words) => BackUpAsync(builder, words.GetValue(into)!),
                into
            ),
            AdminVerbs.New(
                "restore",
                "a new private PostgreSQL from it, into a new --data directory",
                (builder, words) => RestoreAsync(builder, words.GetValue(backup)!, words.GetValue(wal), words.GetValue(until)),
                backup,
                wal,
                until
            ),
        ];
    }

    /// <summary><c>admin backup DIR</c>.</summary>
    private static async Task<int> BackUpAsync(WebApplicationBuilder builder, string into)
    {
        var options = builder.Configuration.GetSection("Database").Get<DatabaseOptions>() ?? new();
        if (options.ConnectionString is { Length: > 0 })
        {
            throw new ArgumentException("this backs up the private PostgreSQL only; for one of your own use its tools (docs/runbooks/restore.md)");
        }
        Installation.RequireInstallation(builder);
        var (_, cluster) = await Installation.OwnerAsync(builder);
        try
        {
            Console.WriteLine($"Backup: {await cluster!.BackUpAsync(into, CancellationToken.None)}");
            await using (var database = new AdminDatabase(ConnectionStrings.From(new DatabaseOptions(), cluster!.ConnectionString)))
            {
                await database.ExecuteAsync("select record_backup()", CancellationToken.None);
            }
            Console.WriteLine("Not in it: the keys and the files in the data directory (keys/, storage/). Copy both as well.");
            if (options.WalArchiveDirectory is null)
            {
                Console.WriteLine("It can be restored as it is; set Database:WalArchiveDirectory to be able to restore any later moment too.");
            }
            return 0;
        }
        finally
        {
            if (cluster is { WasRunning: false })
            {
                await cluster.StopAsync(CancellationToken.None);
            }
        }
    }

    /// <summary><c>admin restore BACKUP [--wal DIR] [--until TIME]</c>, into the data directory of the configuration, which has to be new.</summary>
    private static async Task<int> RestoreAsync(WebApplicationBuilder builder, string backup, string? wal, DateTime? until)
    {
        if (until is not null && wal is null)
        {
            throw new UsageException("--until needs --wal: a backup alone is restored as it is, and goes to no other moment");
        }
        var options = builder.Configuration.GetSection("Database").Get<DatabaseOptions>() ?? new();
        var home = Installation.PrivateHome(builder);
        var settings = Installation.PrivateSettings(options);
        var cluster = await PrivateCluster.RestoreAsync(backup, wal, until, home, options.BinDirectory, settings, CancellationToken.None);
        try
        {
            Console.WriteLine($"Restored into {home}.");
            // A backup of an older release learns the rule first.
            using var logging = LoggerFactory.Create(log => log.AddSimpleConsole());
            await new Migrator(cluster.ConnectionString, logging.CreateLogger("migrate")) { IsPrivate = true }.RunAsync(dryRun: false, CancellationToken.None);
            await using var database = new AdminDatabase(ConnectionStrings.From(new DatabaseOptions(), cluster.ConnectionString));
            await RecoveryCommands.MarkJobsAsync(builder, database);
            var code = await MaintenanceCommands.ReconcileAsync(database);
            foreach (var line in FindMissingSettings(builder))
            {
                Console.WriteLine(line);
            }
            Console.WriteLine("Start the server on it, then run admin reconcile-purchases: what was bought after that moment is found at Apple.");
            return code;
        }
        finally
        {
            await cluster.StopAsync(CancellationToken.None);
        }
    }

    /// <summary>What a backup of the database does not hold, and what it means to go on without it.</summary>
    internal static IEnumerable<string> FindMissingSettings(WebApplicationBuilder builder)
    {
        var directory = Path.GetFullPath((builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new()).DataDirectory);
        var security = builder.Configuration.GetSection("Security").Get<SecurityOptions>() ?? new();
        var keys = Path.Combine(directory, "keys");
        if (Keys.FindMissing(security, keys).Any())
        {
            yield return $"NOT RESTORED: the keys. Without the former ones every user is signed out, the anon key in shipped apps is refused, promo codes and links are void, and admins cannot sign in: copy the former keys folder to {keys}, or set Security:SigningKeyFile and Security:TokenSecretFile, before the server starts (in Development it would make new ones).";
        }
        if ((builder.Configuration.GetSection("Storage").Get<StorageOptions>() ?? new()).Kind == "local")
        {
            var storage = Path.Combine(directory, LocalFileStore.FolderName);
            yield return $"NOT RESTORED: the files. The database promises videos and pictures that {storage} does not have, and the server refuses to start on a folder that it does not know: copy the former storage folder there, or go on without the files with admin accept-storage and then admin check-files --force.";
        }
    }
}
