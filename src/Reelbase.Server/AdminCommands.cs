using System.Globalization;
using Reelbase.Server.Features.Cleanup;
using Reelbase.Server.Features.Credits;
using Reelbase.Server.Features.GenerateVideo;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server;

/// <summary>What an operator does from the command line: <c>admin VERB</c>. Data is reached as <c>reelbase_admin</c>, never as the owner.</summary>
public static class AdminCommands
{
    private const int DefaultRows = 50;

    private const string Usage = """
        admin reconcile [--database URL]              check that every user's ledger adds up
        admin reconcile-purchases                     compare our books with the App Store's now, and show what the last times found
        admin cleanup [--dry-run] [--database URL]    remove now what is old enough, or count it
        admin check-files [--force]                   compare the store of files with its rows now; --force: whatever is missing (docs/runbooks/restore.md)
        admin accept-storage                          after a restore into a new folder: its files, and no others, are this installation's from now on
        admin after-restore                           after a restore or a failover that lost commits: no job that may be with a provider is submitted again
        admin reports [--status open|closed]          videos that users have reported
        admin close-report ID                         a report that has been dealt with
        admin deliveries [--status S] [--limit N]     webhooks that came in, newest first; S: pending, processed or failed
        admin resend-delivery ID                      let the worker handle a stored webhook once more
        admin trace ID                                everything that happened in a trace (trace_id of an error), or to a job
        admin backup DIR                              a backup of the private PostgreSQL, while everything goes on
        admin restore BACKUP [--wal DIR] [--until T]  a new private PostgreSQL from it, into a new --data directory
        admin create --email E [--role R]             a new admin, or a new password and code for one; R: support or operator
        admin promo create --credits N --uses N [--code C] [--label L] [--starts T] [--ends T]
                                                      a promo code, shown once
        admin promo list                              promo codes and their uses
        admin promo end ID                            nobody can redeem it any more
        admin import-model fal ENDPOINT [--file F] [--cost DOLLARS] [--margin PERCENT] [--name N] [--vendor V] [--surcharge SETTING=OPTION:PERCENT] [--dry-run]
                                                      a model's row from fal's own document for the endpoint, switched off, with prices and a preview
        admin role --email E --role R                 give an admin another role
        admin list                                    who is an admin, and in which role
        admin revoke --email E                        take an admin's right away
        admin token --email E                         print a bearer token for the admin API, good for an hour
        admin database-url                            print the owner's address of the database, for psql
        admin keys                                    print the key that apps carry and the one for servers of your own (it is a secret)
        admin anon-key                                print the key that apps carry
        """;

    /// <summary>Runs one verb; answers the exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        if (AdminVerbs.FindWrongWord(args) is { } wrong)
        {
            await Console.Error.WriteLineAsync($"admin: {wrong} (./reelbase admin --help lists them)");
            return 2;
        }
        var builder = Commands.NewBuilder([]);
        try
        {
            return args switch
            {
                ["reconcile", ..] => await WithDatabaseAsync(builder, args, ReconcileAsync),
                ["reconcile-purchases", ..] => await WithDatabaseAsync(builder, args, ReconcilePurchasesAsync),
                ["cleanup", ..] => await WithDatabaseAsync(builder, args, database => CleanUpAsync(builder, database, args.Contains("--dry-run"))),
                ["check-files", ..] => await WithDatabaseAsync(builder, args, database => RecoveryCommands.CheckFilesAsync(database, args.Contains("--force"))),
                ["accept-storage", ..] => await WithDatabaseAsync(builder, args, database => RecoveryCommands.AcceptStorageAsync(builder, database)),
                ["after-restore", ..] => await WithDatabaseAsync(builder, args, database => RecoveryCommands.MarkJobsAsync(builder, database)),
                ["reports", ..] => await WithDatabaseAsync(builder, args, database => ListReportsAsync(database, args)),
                ["close-report", var id, ..] when long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var report) => await WithDatabaseAsync(
                    builder,
                    args,
                    database => CloseReportAsync(database, report)
                ),
                ["deliveries", ..] => await WithDatabaseAsync(builder, args, database => ListDeliveriesAsync(database, args)),
                ["resend-delivery", var id, ..] when long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) =>
                    await WithDatabaseAsync(builder, args, database => ResendAsync(database, number)),
                ["trace", var id, ..] => await WithDatabaseAsync(builder, args, database => ShowTraceAsync(database, id)),
                ["create", ..] when Commands.Value(args, "--email") is { } email => await WithDatabaseAsync(
                    builder,
                    args,
                    database => AdminUserCommands.CreateAsync(builder, database, email, AdminUserCommands.Role(args))
                ),
                ["role", ..] when Commands.Value(args, "--email") is { } email && AdminUserCommands.Role(args) is { } role => await WithDatabaseAsync(
                    builder,
                    args,
                    database => AdminUserCommands.SetRoleAsync(database, email, role)
                ),
                ["promo", "create", ..] => await WithDatabaseAsync(builder, args, database => PromoCommands.CreateAsync(builder, database, args)),
                ["promo", "list", ..] => await WithDatabaseAsync(builder, args, PromoCommands.ListAsync),
                ["promo", "end", var id, ..] when Guid.TryParse(id, out var code) => await WithDatabaseAsync(
                    builder,
                    args,
                    database => PromoCommands.EndAsync(database, code)
                ),
                ["import-model", "fal", var endpoint, ..] when !endpoint.StartsWith('-') => await WithDatabaseAsync(
                    builder,
                    args,
                    database => ModelCommands.ImportAsync(builder, database, endpoint, args)
                ),
                ["list", ..] => await WithDatabaseAsync(builder, args, AdminUserCommands.ListAsync),
                ["revoke", ..] when Commands.Value(args, "--email") is { } email => await WithDatabaseAsync(
                    builder,
                    args,
                    database => AdminUserCommands.RevokeAsync(database, email)
                ),
                ["token", ..] when Commands.Value(args, "--email") is { } email => await WithDatabaseAsync(
                    builder,
                    args,
                    database => AdminUserCommands.PrintTokenAsync(builder, database, email)
                ),
                ["backup", var into, ..] => await BackupCommands.BackUpAsync(builder, into),
                ["restore", var backup, ..] => await BackupCommands.RestoreAsync(builder, backup, args),
                ["database-url", ..] => await PrintDatabaseUrlAsync(builder),
                ["keys", ..] => PrintKeys(builder),
                ["anon-key", ..] => PrintAnonKey(builder),
                _ => PrintUsage(args is ["--help" or "-h" or "help"]),
            };
        }
        catch (Exception error) when (Commands.IsForTheOperator(error))
        {
            await Console.Error.WriteLineAsync($"admin: {error.Message}");
            return 1;
        }
    }

    private static async Task<int> WithDatabaseAsync(WebApplicationBuilder builder, string[] args, Func<AdminDatabase, Task<int>> act)
    {
        var options = Commands.DatabaseOptionsOf(builder);
        if (Commands.HasAdminAddressOnly(builder, args))
        {
            await using var database = new AdminDatabase(ConnectionStrings.From(options, null));
            return await act(database);
        }
        return await Commands.WithOwnerAsync(
            builder,
            args,
            async owner =>
            {
                if (Commands.Value(args, "--database") is not null)
                {
                    // Addresses of roles are about the configured database, and not about another one that was named.
                    options = new() { ConnectTimeoutSeconds = options.ConnectTimeoutSeconds, CommandTimeoutSeconds = options.CommandTimeoutSeconds };
                }
                await using var database = new AdminDatabase(ConnectionStrings.From(options, owner));
                return await act(database);
            },
            mustExist: true
        );
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

    private static async Task<int> ListReportsAsync(AdminDatabase database, string[] args)
    {
        var status = Commands.Value(args, "--status") ?? "open";
        if (status is not ("open" or "closed"))
        {
            throw new ArgumentException("--status is open or closed");
        }
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

    private static async Task<int> ListDeliveriesAsync(AdminDatabase database, string[] args)
    {
        var status = Commands.Value(args, "--status");
        if (status is not (null or "pending" or "processed" or "failed"))
        {
            throw new ArgumentException("--status is pending, processed or failed");
        }
        var limit = int.TryParse(Commands.Value(args, "--limit"), NumberStyles.None, CultureInfo.InvariantCulture, out var rows) ? rows : DefaultRows;
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

    private static async Task<int> PrintDatabaseUrlAsync(WebApplicationBuilder builder)
    {
        Commands.RequireInstallation(builder);
        var (url, cluster) = await Commands.OwnerAsync(builder);
        if (cluster is { WasRunning: false })
        {
            await cluster.StopAsync(CancellationToken.None);
            throw new InvalidOperationException("the private PostgreSQL runs while Reelbase runs: start that first");
        }
        Console.WriteLine(ConnectionStrings.ToUrl(url));
        return 0;
    }

    private static int PrintAnonKey(WebApplicationBuilder builder)
    {
        using var tokens = AdminUserCommands.NewTokens(builder);
        Console.WriteLine(tokens.CreateAnonKey());
        return 0;
    }

    private static int PrintKeys(WebApplicationBuilder builder)
    {
        using var tokens = AdminUserCommands.NewTokens(builder);
        Console.WriteLine($"Anon key: {tokens.CreateAnonKey()}");
        Console.WriteLine($"Service key: {tokens.CreateServiceKey()}");
        return 0;
    }

    private static int PrintUsage(bool wasAskedFor)
    {
        Console.WriteLine(Usage);
        return wasAskedFor ? 0 : 2;
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
