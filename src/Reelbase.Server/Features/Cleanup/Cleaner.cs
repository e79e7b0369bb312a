using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.GenerateVideo;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Cleanup;

/// <summary>Every night, on whichever node comes first: removes what is old enough, and looks whether the books add up.</summary>
public sealed class Cleaner(
    WorkerDatabase database,
    IOptions<CleanupOptions> options,
    IOptions<GenerationOptions> generation,
    TimeProvider clock,
    ILogger<Cleaner> logger
) : PeriodicWork(logger)
{
    private const string Schedule = "cleanup";

    /// <summary>Longer than a night's work; a node that dies in it is followed by another one then.</summary>
    private const int LeaseSeconds = 4 * 3600;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(options.Value.LookSeconds);

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken) => LookAsync(stoppingToken);

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var claimToken = ClaimToken.New();
        var now = clock.GetUtcNow();
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddHours(options.Value.AtHour);
        var due = now >= today ? today : today.AddDays(-1);
        if (!await database.ScalarAsync<bool>("select claim_schedule($1, $2, $3, $4)", cancellationToken, Schedule, claimToken, LeaseSeconds, due.UtcDateTime))
        {
            return;
        }
        var removed = await CleanupRun.RunAsync(database, options.Value, generation.Value.RetentionDays, isDryRun: false, cancellationToken);
        var books = (
            await database.ListSlowlyAsync<Books>(
                options.Value.LedgerCheckSeconds,
                "select * from check_books($1)",
                cancellationToken,
                options.Value.UnusualCredits
            )
        )[0];
        var summary = string.Join(", ", removed.Select(kind => $"{kind.Key} {kind.Value}"));
        var text = $"Cleanup: {summary}. Ledger: {(books.Mismatches == 0 ? "adds up for everybody" : $"{books.Mismatches} users do not add up")}.";
        logger.LogInformation("{Summary}", text);
        await database.ExecuteAsync(
            "select raise_alert('cleanup_summary', $1, $2)",
            CancellationToken.None,
            due.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            text
        );
        await database.ExecuteAsync(
            "select finish_schedule($1, $2, $3::jsonb)",
            CancellationToken.None,
            Schedule,
            claimToken,
            JsonSerializer.Serialize(
                new
                {
                    removed,
                    mismatches = books.Mismatches,
                    unusual = books.Unusual,
                }
            )
        );
    }

    private sealed record Books(long Mismatches, long Unusual);
}
