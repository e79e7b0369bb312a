using System.Globalization;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Credits;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Operations.Cleanup;

/// <summary>Every night, on whichever node comes first: removes what is old enough, and checks every ledger.</summary>
public sealed class Cleaner(
    WorkerDatabase database,
    IOptions<CleanupOptions> options,
    IOptions<GenerationOptions> generation,
    TimeProvider clock,
    ILogger<Cleaner> logger
) : PeriodicWork(logger)
{
    private const string Schedule = "cleanup";

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(options.Value.LookSeconds);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var now = clock.GetUtcNow();
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddHours(options.Value.AtHour);
        var due = (now >= today ? today : today.AddDays(-1)).UtcDateTime;
        await using var run = await ScheduledRun.ClaimAsync(database, Schedule, due, stoppingToken);
        if (run is null)
        {
            return;
        }
        try
        {
            // What is removed is gone, so a run that broke off begins with that again; the check of the ledgers goes on where it was.
            var ledger = LedgerProgress.From(run.Progress);
            var report = await CleanupRun.RunAsync(
                database,
                options.Value,
                generation.Value.RetentionDays,
                isDryRun: false,
                () => run.SaveAsync(new { ledger }, stoppingToken),
                stoppingToken
            );
            var verified = await LedgerVerifier.RunAsync(
                database,
                options.Value.LedgerCheckUsers,
                options.Value.UnusualCredits,
                ledger,
                progress => run.SaveAsync(new { ledger = progress }, stoppingToken),
                stoppingToken
            );
            await SummarizeAsync(due, report, verified);
            await run.FinishAsync(
                new
                {
                    removed = report.Removed,
                    failed = report.Failed,
                    mismatches = verified.Mismatches,
                    unusual = verified.Unusual,
                }
            );
        }
        catch (Exception error)
        {
            run.BreakOff(error.Message);
            throw;
        }
    }

    private async Task SummarizeAsync(DateTime due, CleanupReport report, LedgerReport ledger)
    {
        var day = due.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        foreach (var (kind, reason) in report.Failed)
        {
            logger.LogError("The cleanup of {Kind} failed: {Reason}", kind, reason);
            await database.ExecuteAsync(
                "select raise_alert('cleanup_failed', $1, $2)",
                CancellationToken.None,
                $"{day}:{kind}",
                $"The cleanup of {kind} failed and is tried again the next night: {reason}"
            );
        }
        var summary = string.Join(", ", report.Removed.Select(kind => $"{kind.Key} {kind.Value}"));
        var failed = report.Failed.Count == 0 ? "" : $" Failed: {string.Join(", ", report.Failed.Keys)}.";
        var text = $"Cleanup: {summary}.{failed} Ledger: {(ledger.Mismatches == 0 ? "adds up for everybody" : $"{ledger.Mismatches} users do not add up")}.";
        logger.LogInformation("{Summary}", text);
        await database.ExecuteAsync("select raise_alert('cleanup_summary', $1, $2)", CancellationToken.None, day, text);
    }
}
