using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Files;

/// <summary>What a comparison of the store with its rows found, and why it changed nothing, if it did not.</summary>
public sealed record StorageReport(long Rows, long Files, long Orphans, long Missing, string? Stopped = null);

/// <summary>How far a comparison has come: first everything is counted, then what is wrong is put right. It is stored, under the names that the previous release reads.</summary>
public sealed record StorageProgress(
    [property: JsonPropertyName("IsHealing")] bool IsRepairing,
    string Bucket,
    string Name,
    StorageReport Counted,
    [property: JsonPropertyName("Healed")] StorageReport Repaired
)
{
    /// <summary>The beginning.</summary>
    public static StorageProgress Start { get; } = new(false, "", "", new(0, 0, 0, 0), new(0, 0, 0, 0));
}

/// <summary>
/// Walks the store and the table side by side, in the same order and a page at a time. A file without a row is nobody's and goes; a row
/// without its file stops promising it. Both only in a store that carries our mark, and only when few are wrong: a store that is not
/// mounted seems as if every file were missing.
/// </summary>
public sealed class StorageReconciler(WorkerDatabase database, IFileStore files, IOptions<FilesOptions> options, ILogger<StorageReconciler> logger)
    : PeriodicWork(logger)
{
    private const string Schedule = "storage_check";

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(options.Value.PollSeconds);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await MarkNewStoreAsync(stoppingToken);
        await RunAsync(DateTime.UtcNow.AddMinutes(-options.Value.HealMinutes), stoppingToken);
    }

    /// <summary>An installation that has stored nothing yet takes its store for its own; an older one has to see its files in it first.</summary>
    internal async Task MarkNewStoreAsync(CancellationToken cancellationToken)
    {
        var installation = await InstallationAsync(cancellationToken);
        if (installation.StoreMarkedAt is null && !await database.ScalarAsync<bool>("select has_stored_objects()", cancellationToken))
        {
            if (await files.ReadMarkerAsync(cancellationToken) is null)
            {
                await MarkAsync(installation, cancellationToken);
            }
        }
    }

    /// <summary>One comparison, when it is due since <paramref name="since"/> or asked for; null when it is not.</summary>
    internal async Task<StorageReport?> RunAsync(DateTime since, CancellationToken cancellationToken)
    {
        await using var run = await ScheduledRun.ClaimAsync(database, Schedule, since, cancellationToken);
        if (run is null)
        {
            return null;
        }
        try
        {
            var isForced = run.Request.ValueKind == JsonValueKind.Object && run.Request.TryGetProperty("force", out var force) && force.GetBoolean();
            var report = await CompareAsync(run, isForced, cancellationToken);
            if (report.Stopped is { } reason)
            {
                logger.LogError("The store was not touched: {Reason}", reason);
                await database.ExecuteAsync(
                    "select raise_alert('storage_check', $1, $2)",
                    CancellationToken.None,
                    DateTime.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
                    $"The store of files was not touched: {reason}. Look at the disk or the bucket; when it is right as it is, run admin check-files --force."
                );
            }
            await run.FinishAsync(
                new
                {
                    rows = report.Rows,
                    files = report.Files,
                    orphans = report.Orphans,
                    missing = report.Missing,
                    stopped = report.Stopped,
                }
            );
            return report;
        }
        catch (Exception error)
        {
            run.BreakOff(error.Message);
            throw;
        }
    }

    private async Task<StorageReport> CompareAsync(ScheduledRun run, bool isForced, CancellationToken cancellationToken)
    {
        var age = TimeSpan.FromMinutes(options.Value.OrphanMinutes);
        var installation = await InstallationAsync(cancellationToken);
        if (!isForced && await WrongStoreAsync(installation, cancellationToken) is { } wrong)
        {
            return new(0, 0, 0, 0, wrong);
        }
        await files.SweepAsync(age, cancellationToken);
        var progress = run.Progress.ValueKind == JsonValueKind.Object ? run.Progress.Deserialize<StorageProgress>()! : StorageProgress.Start;
        while (true)
        {
            var page = await ReadPageAsync(progress, cancellationToken);
            if (!progress.IsRepairing)
            {
                var counted = Count(progress.Counted, page, age);
                if (page.IsLast)
                {
                    if (!isForced && TooMany(counted) is { } reason)
                    {
                        return counted with { Stopped = reason };
                    }
                    if (installation.StoreMarkedAt is null || isForced)
                    {
                        await MarkAsync(installation, cancellationToken);
                    }
                    if (counted.Orphans + counted.Missing == 0)
                    {
                        return counted;
                    }
                }
                progress = page.End is { } end
                    ? progress with
                    {
                        Bucket = end.Bucket,
                        Name = end.Name,
                        Counted = counted,
                    }
                    : StorageProgress.Start with
                    {
                        IsRepairing = true,
                        Counted = counted,
                    };
            }
            else
            {
                // The store may have gone since it was counted.
                if (!isForced && await WrongStoreAsync(installation with { StoreMarkedAt = DateTime.UtcNow }, cancellationToken) is { } gone)
                {
                    return progress.Repaired with { Stopped = gone };
                }
                var repaired = await RepairAsync(progress, page, age, isForced, cancellationToken);
                if (page.IsLast || repaired.Stopped is not null)
                {
                    logger.LogWarning(
                        "Of {Files} files {Orphans} had no row and were removed; {Missing} rows had no file",
                        repaired.Files,
                        repaired.Orphans,
                        repaired.Missing
                    );
                    return repaired;
                }
                progress = progress with { Bucket = page.End!.Value.Bucket, Name = page.End.Value.Name, Repaired = repaired };
            }
            await run.SaveAsync(progress, cancellationToken);
        }
    }

    /// <summary>The next files and the rows that belong beside them. Files first: a row is written before its file, so none is missed.</summary>
    private async Task<Page> ReadPageAsync(StorageProgress progress, CancellationToken cancellationToken)
    {
        var limit = options.Value.PageRows;
        var found = new List<StoredFile>();
        await foreach (var file in files.ListAsync(progress.Bucket, progress.Name, cancellationToken))
        {
            found.Add(file);
            if (found.Count == limit)
            {
                break;
            }
        }
        var rows = await database.ListAsync<Row>(
            "select * from list_storage_objects($1::text[], $2, $3, $4)",
            cancellationToken,
            StoreBuckets.All.ToArray(),
            progress.Bucket,
            progress.Name,
            limit
        );
        // As far as both pages reach; what lies beyond is the next page's.
        (string, string)? end = null;
        if (found.Count == limit)
        {
            end = (found[^1].Bucket, found[^1].Name);
        }
        if (rows.Count == limit && (end is null || Compare((rows[^1].Bucket, rows[^1].Name), end.Value) < 0))
        {
            end = (rows[^1].Bucket, rows[^1].Name);
        }
        if (end is { } last)
        {
            found.RemoveAll(file => Compare((file.Bucket, file.Name), last) > 0);
            rows.RemoveAll(row => Compare((row.Bucket, row.Name), last) > 0);
        }
        var names = found.Select(file => (file.Bucket, file.Name)).ToHashSet();
        var known = rows.Select(row => (row.Bucket, row.Name)).ToHashSet();
        return new(
            rows.Count,
            found.Count,
            found.FindAll(file => !known.Contains((file.Bucket, file.Name))),
            rows.FindAll(row => !names.Contains((row.Bucket, row.Name))),
            end
        );
    }

    private static StorageReport Count(StorageReport before, Page page, TimeSpan age) =>
        new(
            before.Rows + page.Rows,
            before.Files + page.Files,
            before.Orphans + page.Orphans.Count(file => IsOld(file, age)),
            before.Missing + page.Missing.Count(row => IsOld(row, age))
        );

    private async Task<StorageReport> RepairAsync(StorageProgress progress, Page page, TimeSpan age, bool isForced, CancellationToken cancellationToken)
    {
        var repaired = progress.Repaired with { Rows = progress.Repaired.Rows + page.Rows, Files = progress.Repaired.Files + page.Files };
        foreach (var file in page.Orphans.Where(file => IsOld(file, age)))
        {
            // Asked once more: the row may be younger than our page.
            if (!await database.ScalarAsync<bool>("select storage_object_is_known($1, $2)", cancellationToken, file.Bucket, file.Name))
            {
                await files.DeleteAsync(file.Bucket, file.Name, cancellationToken);
                repaired = repaired with { Orphans = repaired.Orphans + 1 };
            }
            if (Braked(repaired) is { Stopped: not null } stopped)
            {
                return stopped;
            }
        }
        foreach (var row in page.Missing.Where(row => IsOld(row, age)))
        {
            if (
                !await files.ExistsAsync(row.Bucket, row.Name, cancellationToken)
                && await database.ScalarAsync<bool>("select forget_missing_object($1)", cancellationToken, row.Id)
            )
            {
                repaired = repaired with { Missing = repaired.Missing + 1 };
            }
            if (Braked(repaired) is { Stopped: not null } stopped)
            {
                return stopped;
            }
        }
        return repaired;

        // More than was counted before: something has changed since, and whatever it is has gone far enough.
        StorageReport Braked(StorageReport now) =>
            isForced ? now : now with { Stopped = TooMany(now with { Rows = progress.Counted.Rows, Files = progress.Counted.Files }) };
    }

    private string? TooMany(StorageReport found)
    {
        var mayMiss = Math.Max(options.Value.MaxMissingFiles, found.Rows * options.Value.MaxMissingPercent / 100);
        var mayRemove = Math.Max(options.Value.MaxMissingFiles, found.Files * options.Value.MaxMissingPercent / 100);
        return found.Missing > mayMiss ? $"{found.Missing} of {found.Rows} files that there should be are missing"
            : found.Orphans > mayRemove ? $"{found.Orphans} of {found.Files} files in it are unknown to the database"
            : null;
    }

    /// <summary>Why this is not the store of this installation; null when it is, or when no store has been marked yet.</summary>
    private async Task<string?> WrongStoreAsync(Installation installation, CancellationToken cancellationToken) =>
        await files.ReadMarkerAsync(cancellationToken) is { } marker
            ? marker == installation.Id.ToString()
                ? null
                : "it carries the mark of another installation"
            : installation.StoreMarkedAt is null
                ? null
                : "it does not carry the mark of this installation; perhaps it is not mounted";

    private async Task MarkAsync(Installation installation, CancellationToken cancellationToken)
    {
        await files.WriteMarkerAsync(installation.Id.ToString(), cancellationToken);
        await database.ExecuteAsync("select record_store_marked()", cancellationToken);
    }

    private async Task<Installation> InstallationAsync(CancellationToken cancellationToken) =>
        (await database.ListAsync<Installation>("select * from get_installation()", cancellationToken))[0];

    private static bool IsOld(StoredFile file, TimeSpan age) => file.ModifiedAt <= DateTime.UtcNow - age;

    /// <summary>Only finished files are promised; the others have a worker or the remover to see to them.</summary>
    private static bool IsOld(Row row, TimeSpan age) => row.State == "stored" && row.StoredAt <= DateTime.UtcNow - age;

    private static int Compare((string Bucket, string Name) left, (string Bucket, string Name) right) =>
        string.CompareOrdinal(left.Bucket, right.Bucket) is var order and not 0 ? order : string.CompareOrdinal(left.Name, right.Name);

    /// <summary>A page of both, as far as both reach; <see cref="End"/> is null for the last one.</summary>
    private sealed record Page(int Rows, int Files, List<StoredFile> Orphans, List<Row> Missing, (string Bucket, string Name)? End)
    {
        public bool IsLast => End is null;
    }

    private sealed record Installation
    {
        public Guid Id { get; init; }
        public DateTime? StoreMarkedAt { get; init; }
    }

    private sealed class Row
    {
        public Guid Id { get; init; }
        public string Bucket { get; init; } = "";
        public string Name { get; init; } = "";
        public string State { get; init; } = "";
        public DateTime? StoredAt { get; init; }
    }
}
