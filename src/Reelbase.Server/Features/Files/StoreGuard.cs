using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Files;

/// <summary>
/// Refuses to start on a folder of local files that is not this installation's: a second node with a disk of its own would promise files that the first
/// one has, and a restored database the files of a folder that nobody copied. The folder carries a random id, which the database knows; nodes of one
/// folder (a roll on one host, a restart after a kill, a mounted disk) find the same one.
/// </summary>
public sealed class StoreGuard(
    WorkerDatabase database,
    IFileStore files,
    IOptions<StorageOptions> storage,
    IOptions<ServerOptions> server,
    ILogger<StoreGuard> logger
) : PeriodicWork(logger), IBeforeReady
{
    private readonly ILogger<StoreGuard> _log = logger;
    private volatile bool _isConfirmed;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!await IsOursAsync(cancellationToken))
            {
                throw new InvalidOperationException(Refusal(server.Value.DataDirectory));
            }
        }
        catch (NpgsqlException error)
        {
            // Asked again until it is known.
            _log.LogWarning("Whether the store of files is this installation's is not known yet: {Message}", error.Message);
        }
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (!await IsOursAsync(stoppingToken))
        {
            _log.LogCritical("{Refusal}", Refusal(server.Value.DataDirectory));
        }
    }

    /// <summary>Whether the store is this installation's; once known it stays so for this process.</summary>
    public async Task<bool> IsOursAsync(CancellationToken cancellationToken)
    {
        if (!_isConfirmed && storage.Value.Kind == "local")
        {
            var marker = await LocalFileStore.MarkAsync(server.Value.DataDirectory, cancellationToken);
            if (!await database.ScalarAsync<bool>("select claim_store($1, $2)", cancellationToken, marker, await files.ReadMarkerAsync(cancellationToken)))
            {
                return false;
            }
        }
        _isConfirmed = true;
        return true;
    }

    /// <summary>What is wrong and what to do.</summary>
    public static string Refusal(string dataDirectory) =>
        $"the files in {Path.GetFullPath(Path.Combine(dataDirectory, LocalFileStore.FolderName))} (Server:DataDirectory) are not this installation's: the database knows another folder. "
        + "Several nodes need Storage:Kind=s3 or one mounted folder; after a restore into a new folder copy the former storage folder into it, or accept this one with: admin accept-storage";
}
