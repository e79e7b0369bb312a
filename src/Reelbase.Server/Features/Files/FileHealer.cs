using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Files;

/// <summary>What a walk through the store found and healed.</summary>
public sealed record HealReport(int Files, int Orphans, int Missing);

/// <summary>
/// Walks the store and the table side by side, both in the same order. A file without a row is nobody's and goes; a row without its file
/// stops promising it, and the operator is told.
/// </summary>
public sealed class FileHealer(WorkerDatabase database, IFileStore files, IOptions<FilesOptions> options, ILogger<FileHealer> logger) : PeriodicWork(logger)
{
    private const int PageRows = 1000;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromMinutes(options.Value.HealMinutes);

    /// <inheritdoc/>
    protected override bool BeginsWithPause => true;

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken) => HealAsync(stoppingToken);

    /// <summary>One walk.</summary>
    internal async Task<HealReport> HealAsync(CancellationToken cancellationToken)
    {
        var age = TimeSpan.FromMinutes(options.Value.OrphanMinutes);
        await files.SweepAsync(age, cancellationToken);
        var (seen, orphans, missing) = (0, 0, 0);
        await using var rows = RowsAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        var hasRow = await rows.MoveNextAsync();
        await foreach (var file in files.ListAsync(cancellationToken))
        {
            seen++;
            while (hasRow && Compare(rows.Current, file) < 0)
            {
                missing += await ForgetAsync(rows.Current, age, cancellationToken);
                hasRow = await rows.MoveNextAsync();
            }
            if (hasRow && Compare(rows.Current, file) == 0)
            {
                hasRow = await rows.MoveNextAsync();
            }
            else
            {
                orphans += await RemoveAsync(file, age, cancellationToken);
            }
        }
        while (hasRow)
        {
            missing += await ForgetAsync(rows.Current, age, cancellationToken);
            hasRow = await rows.MoveNextAsync();
        }
        var report = new HealReport(seen, orphans, missing);
        if (orphans + missing > 0)
        {
            logger.LogWarning("Of {Files} files {Orphans} had no row and were removed; {Missing} rows had no file", seen, orphans, missing);
        }
        return report;
    }

    private async IAsyncEnumerable<Row> RowsAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (bucket, name) = ("", "");
        while (true)
        {
            var page = await database.ListAsync<Row>("select * from list_storage_objects($1, $2, $3)", cancellationToken, bucket, name, PageRows);
            foreach (var row in page)
            {
                yield return row;
            }
            if (page.Count < PageRows)
            {
                yield break;
            }
            (bucket, name) = (page[^1].Bucket, page[^1].Name);
        }
    }

    /// <summary>A file is written after its row, so one that has none is nobody's. The row is looked for once more: it may be younger than our page.</summary>
    private async Task<int> RemoveAsync(StoredFile file, TimeSpan age, CancellationToken cancellationToken)
    {
        if (
            file.ModifiedAt > DateTime.UtcNow - age
            || await database.ScalarAsync<bool>("select storage_object_is_known($1, $2)", cancellationToken, file.Bucket, file.Name)
        )
        {
            return 0;
        }
        await files.DeleteAsync(file.Bucket, file.Name, cancellationToken);
        return 1;
    }

    private async Task<int> ForgetAsync(Row row, TimeSpan age, CancellationToken cancellationToken)
    {
        // Only finished files are promised; the others have a worker or the remover to look after them.
        if (row.State != "stored" || row.StoredAt > DateTime.UtcNow - age || await files.ExistsAsync(row.Bucket, row.Name, cancellationToken))
        {
            return 0;
        }
        return await database.ScalarAsync<bool>("select forget_missing_object($1)", cancellationToken, row.Id) ? 1 : 0;
    }

    private static int Compare(Row row, StoredFile file) =>
        string.CompareOrdinal(row.Bucket, file.Bucket) is var order and not 0 ? order : string.CompareOrdinal(row.Name, file.Name);

    private sealed class Row
    {
        public Guid Id { get; init; }
        public string Bucket { get; init; } = "";
        public string Name { get; init; } = "";
        public string State { get; init; } = "";
        public DateTime? StoredAt { get; init; }
    }
}
