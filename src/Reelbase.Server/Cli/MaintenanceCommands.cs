using System.CommandLine;
using Reelbase.Server.Features.Credits;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Features.Operations.Cleanup;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Cli;

/// <summary>Ledger, purchases, reports, deliveries and traces from the command line.</summary>
internal static class MaintenanceCommands
{
    private const int DefaultRows = 50;

    /// <summary>The verbs.</summary>
    public static IEnumerable<Command> New(AdminVerbs verbs)
    {
        var dryRun = Words.Flag("--dry-run", "count it, and remove nothing");
        var reportStatus = Words.OneOf("--status", "default: open", ["open", "closed"]);
        var deliveryStatus = Words.OneOf("--status", "default: all", ["pending", "processed", "failed"]);
        var limit = Words.Number("--limit", $"default: {DefaultRows}");
        var (report, delivery) = (Words.About<long>("ID", "the report's number"), Words.About<long>("ID", "the delivery's number"));
        var trace = Words.About<string>("ID", "trace_id of an error, or a job's id");
        return
        [
            verbs.OnDatabase("reconcile", "check that every user's ledger adds up", (_, database, _) => ReconcileAsync(database)),
            verbs.OnDatabase(
                "reconcile-purchases",
                "compare our purchases with the App Store's now, and show what was found lately",
                (_, database, _) => ReconcilePurchasesAsync(database)
            ),
            verbs.OnDatabase(
                "cleanup",
                "remove now what is old enough, or count it",
                (builder, database, words) => CleanUpAsync(builder, database, words.GetValue(dryRun)),
                dryRun
            ),
            verbs.OnDatabase(
                "reports",
                "videos that users have reported",
                (_, database, words) => ListReportsAsync(database, words.GetValue(reportStatus) ?? "open"),
                reportStatus
            ),
            verbs.OnDatabase(
                "close-report",
                "a report that has been dealt with",
                (_, database, words) => CloseReportAsync(database, words.GetValue(report)),
                report
            ),
            verbs.OnDatabase(
                "deliveries",
                "webhooks that came in, newest first",
                (_, database, words) => ListDeliveriesAsync(database, words.GetValue(deliveryStatus), words.GetValue(limit) ?? DefaultRows),
                deliveryStatus,
                limit
            ),
            verbs.OnDatabase(
                "resend-delivery",
                "let the worker handle a stored webhook once more",
                (_, database, words) => ResendAsync(database, words.GetValue(delivery)),
                delivery
            ),
            verbs.OnDatabase(
                "trace",
                "everything that happened in a trace, or to a job",
                (_, database, words) => ShowTraceAsync(database, words.GetValue(trace)!),
                trace
            ),
        ];
    }

    internal static async Task<int> ReconcileAsync(AdminDatabase database)
    {
        var count = 0;
        await foreach (var problem in LedgerVerifier.FindAsync(database))
        {
            count++;
            Console.WriteLine($"{problem.UserId}: {problem.Problem}");
        }
        Console.WriteLine(count == 0 ? "Every user's ledger adds up." : $"{count} problems.");
        return count == 0 ? 0 : 1;
    }

    private static async Task<int> ReconcilePurchasesAsync(AdminDatabase database)
    {
        foreach (var row in await database.ListAsync<Reconciliation>("select * from list_reconciliations()", CancellationToken.None))
        {
            Console.WriteLine($"{row.Environment}: last finished {row.FinishedAt?.ToString("u") ?? "never"}, found {row.Report ?? "nothing yet"}");
        }
        await database.ExecuteAsync("select request_reconciliation()", CancellationToken.None);
        Console.WriteLine("Asked for; a worker begins within a minute. Run this again to see what it found.");
        return 0;
    }

    private static async Task<int> CleanUpAsync(WebApplicationBuilder builder, AdminDatabase database, bool isDryRun)
    {
        var options = builder.Configuration.GetSection("Cleanup").Get<CleanupOptions>() ?? new();
        var generation = builder.Configuration.GetSection("Generation").Get<GenerationOptions>() ?? new();
        var report = await CleanupRun.RunAsync(database, options, generation.RetentionDays, isDryRun, () => Task.CompletedTask, CancellationToken.None);
        foreach (var (kind, rows) in report.Removed)
        {
            Console.WriteLine($"{kind, -14} {rows}{(report.Failed.TryGetValue(kind, out var reason) ? $"  FAILED: {reason}" : "")}");
        }
        Console.WriteLine(isDryRun ? "Nothing was changed." : "Removed. Files follow within seconds while a worker runs.");
        return report.Failed.Count == 0 ? 0 : 1;
    }

    private static async Task<int> ListReportsAsync(AdminDatabase database, string status)
    {
        var reports = await database.ListAsync<ContentReport>("select * from list_content_reports($1, $2)", CancellationToken.None, status, 1000);
        foreach (var row in reports)
        {
            Console.WriteLine(
                $"{row.Id}  {row.CreatedAt:yyyy-MM-dd HH:mm:ss}Z  job {row.JobId}  user {row.UserId?.ToString() ?? "-"}  {row.Reason.ReplaceLineEndings(" ")}"
            );
        }
        Console.WriteLine(reports.Count == 0 ? "None." : $"{reports.Count} reports.");
        return 0;
    }

    private static async Task<int> CloseReportAsync(AdminDatabase database, long id)
    {
        if (!await database.ScalarAsync<bool>("select close_content_report($1)", CancellationToken.None, id))
        {
            throw new ArgumentException($"there is no open report {id}");
        }
        Console.WriteLine($"Report {id} is closed.");
        return 0;
    }

    private static async Task<int> ListDeliveriesAsync(AdminDatabase database, string? status, int limit)
    {
        var deliveries = await database.ListAsync<Delivery>("select * from list_webhook_deliveries($1::text, $2)", CancellationToken.None, status, limit);
        foreach (var row in deliveries)
        {
            Console.WriteLine(
                $"{row.Id}  {row.CreatedAt:yyyy-MM-dd HH:mm:ss}Z  {row.Provider}  {row.Status}  {row.EventType}  job {row.JobId?.ToString() ?? "-"}  tries {row.RetryCount}  {row.LastError}"
            );
        }
        Console.WriteLine(deliveries.Count == 0 ? "None." : $"{deliveries.Count} deliveries.");
        return 0;
    }

    private static async Task<int> ResendAsync(AdminDatabase database, long id)
    {
        if (!await database.ScalarAsync<bool>("select resend_webhook_delivery($1)", CancellationToken.None, id))
        {
            throw new ArgumentException($"delivery {id} cannot be handled again: it is unknown, unmatched, or its payload is gone");
        }
        Console.WriteLine($"Delivery {id} is pending; a worker takes it within a second.");
        return 0;
    }

    private static async Task<int> ShowTraceAsync(AdminDatabase database, string id)
    {
        var events = await database.ListAsync<TraceEvent>("select * from find_trace($1)", CancellationToken.None, id);
        foreach (var row in events)
        {
            Console.WriteLine($"{row.At:yyyy-MM-dd HH:mm:ss.fff}Z  {row.What, -16} user {row.UserId?.ToString() ?? "-", -36}  {row.Detail}");
        }
        if (events.Count == 0)
        {
            throw new ArgumentException($"nothing is known of {id}: give the trace_id of an error answer, or a job's id");
        }
        return 0;
    }

    private sealed class ContentReport
    {
        public long Id { get; init; }
        public Guid JobId { get; init; }
        public Guid? UserId { get; init; }
        public string Reason { get; init; } = "";
        public DateTime CreatedAt { get; init; }
    }

    private sealed class TraceEvent
    {
        public DateTime At { get; init; }
        public string What { get; init; } = "";
        public Guid? UserId { get; init; }
        public string Detail { get; init; } = "";
    }

    private sealed class Reconciliation
    {
        public string Environment { get; init; } = "";
        public DateTime? FinishedAt { get; init; }
        public string? Report { get; init; }
    }

    private sealed class Delivery
    {
        public long Id { get; init; }
        public string Provider { get; init; } = "";
        public string? EventType { get; init; }
        public string Status { get; init; } = "";
        public int RetryCount { get; init; }
        public string? LastError { get; init; }
        public Guid? JobId { get; init; }
        public DateTime CreatedAt { get; init; }
    }
}
