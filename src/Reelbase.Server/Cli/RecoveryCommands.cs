using System.CommandLine;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Cli;

/// <summary>What an operator does after something was lost: a database, a failover's last commits, a disk.</summary>
internal static class RecoveryCommands
{
    /// <summary>The verbs.</summary>
    public static IEnumerable<Command> New(AdminVerbs verbs)
    {
        var force = Words.Flag("--force", "whatever is missing (docs/runbooks/restore.md)");
        return
        [
            verbs.OnDatabase(
                "check-files",
                "compare the store of files with its rows now",
                (_, database, words) => CheckFilesAsync(database, words.GetValue(force)),
                force
            ),
            verbs.OnDatabase(
                "accept-storage",
                "after a restore into a new folder: its files, and no others, are this installation's from now on",
                (builder, database, _) => AcceptStorageAsync(builder, database)
            ),
            verbs.OnDatabase(
                "after-restore",
                "after a restore or a failover that lost commits: no job that may be with a provider is submitted again",
                (builder, database, _) => MarkJobsAsync(builder, database)
            ),
        ];
    }

    /// <summary><c>admin after-restore</c>, and part of <c>admin restore</c>: no job that may be with a provider is submitted again.</summary>
    public static async Task<int> MarkJobsAsync(WebApplicationBuilder builder, AdminDatabase database)
    {
        var generation = builder.Configuration.GetSection("Generation").Get<GenerationOptions>() ?? new();
        var hasWebhooks = (builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new()).PublicUrl is { Length: > 0 };
        var marked = await database.ScalarAsync<int>(
            "select mark_jobs_after_restore($1, $2, $3::text[])",
            CancellationToken.None,
            generation.AmbiguousSeconds,
            generation.SubmissionDeadlineSeconds,
            hasWebhooks ? null : Array.Empty<string>()
        );
        Console.WriteLine(
            marked == 0
                ? "No job was waiting or being submitted."
                : $"{marked} jobs may have been submitted in the time that was lost: they are not submitted again, and end by webhook or with a refund."
        );
        return 0;
    }

    /// <summary><c>admin check-files [--force]</c>.</summary>
    private static async Task<int> CheckFilesAsync(AdminDatabase database, bool isForced)
    {
        if (await database.QuerySingleOrDefaultAsync<StorageCheck>("select * from read_storage_check()", CancellationToken.None) is { } last)
        {
            Console.WriteLine($"Last finished {last.FinishedAt?.ToString("u") ?? "never"}, found {last.Report ?? "nothing yet"}");
        }
        await database.ExecuteAsync("select request_storage_check($1)", CancellationToken.None, isForced);
        Console.WriteLine(
            isForced
                ? "Asked for: files without rows will be removed and rows without files forgotten, however many there are. A worker begins within a minute."
                : "Asked for; a worker begins within a minute. Run this again to see what it found."
        );
        return 0;
    }

    /// <summary><c>admin accept-storage</c>: the folder of the configuration is this installation's from now on, whatever is in it.</summary>
    private static async Task<int> AcceptStorageAsync(WebApplicationBuilder builder, AdminDatabase database)
    {
        var storage = builder.Configuration.GetSection("Storage").Get<StorageOptions>() ?? new();
        if (storage.Kind != "local")
        {
            throw new ArgumentException("Storage:Kind is s3: its bucket is every node's, and there is no folder to accept");
        }
        var server = builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new();
        var folder = Path.GetFullPath(Path.Combine(server.DataDirectory, LocalFileStore.FolderName));
        if (!Directory.Exists(server.DataDirectory))
        {
            throw new ArgumentException($"there is no folder {Path.GetFullPath(server.DataDirectory)} (--data or Server:DataDirectory); nothing was changed");
        }
        var marker = await LocalFileStore.MarkAsync(server.DataDirectory, CancellationToken.None);
        var installation = (await database.ListAsync<Installation>("select id from get_installation()", CancellationToken.None))[0];
        await new LocalFileStore(Options.Create(server)).WriteMarkerAsync(installation.Id.ToString(), CancellationToken.None);
        await database.ExecuteAsync("select accept_store($1)", CancellationToken.None, marker);
        Console.WriteLine($"The files in {folder} are this installation's from now on; a node on another folder is refused at its next start.");
        Console.WriteLine("Rows whose files are not there go with: admin check-files --force");
        return 0;
    }

    private sealed class Installation
    {
        public Guid Id { get; init; }
    }

    private sealed class StorageCheck
    {
        public DateTime? FinishedAt { get; init; }
        public string? Report { get; init; }
    }
}
