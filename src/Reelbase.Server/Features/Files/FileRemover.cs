using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Files;

/// <summary>An object whose deletion is committed.</summary>
public sealed record DeletedObject(Guid Id, string Bucket, string Name) : IClaimed
{
    /// <inheritdoc/>
    public string ClaimToken { get; set; } = "";
}

/// <summary>Removes files whose deletion is committed, and those whose writer died before finishing them.</summary>
public sealed class FileRemover(WorkerDatabase database, IFileStore files, ChangeFeed feed, IOptions<WorkOptions> options, ILogger<FileRemover> logger)
    : TableLoop<DeletedObject>(database, feed, options, logger)
{
    /// <summary>Wakes this loop.</summary>
    public const string WakeTopic = "work:files";

    /// <inheritdoc/>
    protected override string Work => "storage_objects";

    /// <inheritdoc/>
    protected override string KeyOf(DeletedObject item) => item.Id.ToString();

    /// <inheritdoc/>
    protected override string Topic => WakeTopic;

    /// <inheritdoc/>
    protected override Task<List<DeletedObject>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken) =>
        Database.ListAsync<DeletedObject>(
            "select * from claim_deleted_objects($1, $2, $3, $4)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            limit,
            MaxAttempts
        );

    /// <inheritdoc/>
    protected override async Task HandleAsync(DeletedObject item, CancellationToken cancellationToken)
    {
        // The file first and its row second: a crash between leaves a row without a file, which is simply done again.
        await files.DeleteAsync(item.Bucket, item.Name, cancellationToken);
        await Database.ExecuteAsync("select forget_storage_object($1, $2)", CancellationToken.None, item.Id, item.ClaimToken);
    }
}
