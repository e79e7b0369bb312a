using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Supabase.Import;
using Reelbase.Server.Integrations.S3;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Cli;

/// <summary>Moving in from elsewhere: <c>import supabase --from URL</c>. The source is read and never written.</summary>
internal static class ImportCommands
{
    /// <summary>The exit code when this installation may not be filled from there.</summary>
    public const int Refused = 3;

    /// <summary>The exit code when it went through and something does not add up.</summary>
    public const int DoesNotAddUp = 4;

    /// <summary>Where the service key is, unless a file has it: never an argument, which everybody on the machine can read.</summary>
    private const string KeyVariable = "SUPABASE_SERVICE_ROLE_KEY";

    /// <summary>Where the source's address is, unless an option says it.</summary>
    private const string SourceVariable = "SUPABASE_DB_URL";

    private const int MaxLines = 20;

    private const string Description = """
        carry a former app's users, models, themes, jobs, ledger and sessions over from its Supabase database
        The source is read in one read-only transaction and never written. Killed at any point the import is started again with the same command and goes on where it
        was; at the end users, balances, jobs, ledgers, sessions, consents and files of both sides are compared. docs/from-supabase.md has the day of the switch-over.
        Exit codes: 0 done, and everything that can be carried is here; 4 done, and the comparison differs; 1 it broke off, with one line that says why (start it
        again); 2 not understood; 3 refused: this installation has users of its own, was begun from another database, or another import is running.
        """;

    /// <summary>The verb.</summary>
    public static Command New()
    {
        var from = Words.Text(
            "--from",
            "URL",
            "the source: postgres://user:password@host:port/database, a direct connection or a pooler in session mode (leave the password out and give it as PGPASSWORD: arguments are seen by everybody on the machine)"
        );
        var fromFile = Words.Text(
            "--from-file",
            "FILE",
            "in place of it: the first line of this file is the address, password and all; - is the standard input. Without either it is the variable SUPABASE_DB_URL"
        );
        var files = Words.Text(
            "--files",
            "URL",
            "the project's own address, https://PROJECT.supabase.co: videos, thumbnails and pictures are copied from its storage"
        );
        var keyFile = Words.Text("--service-key-file", "FILE", "where the project's service key is; default: the variable SUPABASE_SERVICE_ROLE_KEY");
        var database = Words.Database();
        var dryRun = Words.Flag("--dry-run", "the report, and nothing written anywhere");
        var all = Words.Flag("--all", $"every line of the report; default: the first {MaxLines} of a kind");
        Command verb = new("supabase", Description) { from, fromFile, files, keyFile, database, dryRun, all };
        verb.SetAction(
            (result, _) =>
                RunAsync(
                    new(
                        result.GetValue(from),
                        result.GetValue(fromFile),
                        result.GetValue(files),
                        result.GetValue(keyFile),
                        result.GetValue(database),
                        result.GetValue(dryRun),
                        result.GetValue(all)
                    )
                )
        );
        return new Command("import", "Moving in from elsewhere.") { verb };
    }

    /// <summary>What was asked for.</summary>
    private sealed record Wanted(string? From, string? FromFile, string? Files, string? KeyFile, string? Database, bool IsDryRun, bool IsWhole);

    private static async Task<int> RunAsync(Wanted wanted)
    {
        try
        {
            if (await FindSourceAsync(wanted) is not { Length: > 0 } from)
            {
                await Console.Error.WriteLineAsync(
                    "import: the source is missing: --from URL, --from-file FILE, or the variable SUPABASE_DB_URL (import supabase --help)"
                );
                return CommandLineErrors.NotUnderstood;
            }
            var builder = Installation.NewBuilder([]);
            using var former = await FormerAsync(builder, wanted);
            return await Installation.WithOwnerAsync(builder, wanted.Database, owner => ImportAsync(builder, owner, from, former, wanted));
        }
        catch (ImportRefusedException error)
        {
            await Console.Error.WriteLineAsync($"import: refused: {error.Message}");
            return Refused;
        }
        catch (Exception error) when (Installation.IsForTheOperator(error) || error is FormatException)
        {
            await Console.Error.WriteLineAsync($"import: {OneLine(error)}");
            return UsageException.CodeOf(error);
        }
    }

    /// <summary>The source's address: what arguments say is read by everybody on the machine, so a password has other ways.</summary>
    private static async Task<string?> FindSourceAsync(Wanted wanted)
    {
        var variable = Environment.GetEnvironmentVariable(SourceVariable);
        Environment.SetEnvironmentVariable(SourceVariable, null);
        var (argument, file) = (wanted.From, wanted.FromFile);
        if (argument is not null && file is not null)
        {
            throw new UsageException("--from and --from-file say the same thing: give one of them");
        }
        if (file is not null)
        {
            using var reader = file == "-" ? Console.In : new StreamReader(file);
            return (await reader.ReadLineAsync())?.Trim();
        }
        if (argument is not null && Installation.HasPassword(argument))
        {
            await Console.Error.WriteLineAsync(
                "warning: the password in --from can be read by everybody on this machine while this runs: give the address with --from-file FILE or in SUPABASE_DB_URL, or the password as PGPASSWORD"
            );
        }
        return argument ?? variable?.Trim();
    }

    private static async Task<FormerStorage?> FormerAsync(WebApplicationBuilder builder, Wanted wanted)
    {
        var key = Environment.GetEnvironmentVariable(KeyVariable);
        // A PostgreSQL that is started for this has no need of it.
        Environment.SetEnvironmentVariable(KeyVariable, null);
        if (wanted.Files is not { } where)
        {
            return wanted.KeyFile is null ? null : throw new UsageException("--service-key-file is for --files URL, which is missing");
        }
        if (wanted.KeyFile is { } file)
        {
            key = await File.ReadAllTextAsync(file);
        }
        return key?.Trim() is { Length: > 0 } given
            ? new FormerStorage(where, given, (builder.Configuration.GetSection("Downloads").Get<DownloadOptions>() ?? new()).MaxBytes)
            : throw new UsageException($"--files needs the project's service key: --service-key-file FILE, or the variable {KeyVariable}");
    }

    private static async Task<int> ImportAsync(WebApplicationBuilder builder, string owner, string from, FormerStorage? former, Wanted wanted)
    {
        var isDryRun = wanted.IsDryRun;
        var watch = System.Diagnostics.Stopwatch.StartNew();
        await using var target = await OpenTargetAsync(owner);
        await using var source = new SupabaseSource(await OpenSourceAsync(from));
        await source.ExamineAsync(CancellationToken.None);
        var import = new SupabaseImport(source, target, Console.WriteLine);
        await import.LockAsync(CancellationToken.None);
        await import.BeginAsync(isDryRun, CancellationToken.None);
        var report = new SupabaseReport(source, target);
        Console.WriteLine("Reading the source");
        var figures = new SourceFigures(source, target);
        var changes = await figures.NoteAsync(SupabaseImport.Kind, await figures.StateAsync(CancellationToken.None), isDryRun, CancellationToken.None);
        List<Finding> findings = [.. changes, .. await report.FindAsync(CancellationToken.None)];
        var reading = watch.Elapsed;
        if (!isDryRun)
        {
            await report.KeepAsync(SupabaseImport.Kind, findings, CancellationToken.None);
            await import.CarryAsync(CancellationToken.None);
        }
        Print(findings, wanted.IsWhole ? int.MaxValue : MaxLines);
        if (isDryRun)
        {
            Console.WriteLine("Nothing was written.");
            return 0;
        }
        var progress = (await import.ProgressAsync(CancellationToken.None))!;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Carried over: {progress.Users} users, {progress.Jobs} jobs, {progress.LedgerRows} ledger rows, {progress.RefreshTokens} refresh tokens, {progress.Consents} consents; this start took {watch.Elapsed.TotalSeconds:0} s and {Environment.WorkingSet / 1_000_000} MB."
            )
        );
        var carrying = watch.Elapsed;
        if (former is not null)
        {
            var store = OpenStore(builder);
            using var disposable = store as IDisposable;
            using var files = new FileImport(source, target, former, store, Console.WriteLine);
            await files.CheckStoreAsync(CancellationToken.None);
            var lost = await files.CarryAsync(CancellationToken.None);
            await report.KeepAsync(SupabaseImport.Kind, [.. findings, .. lost], CancellationToken.None);
            Print(lost, wanted.IsWhole ? int.MaxValue : MaxLines);
        }
        var copying = watch.Elapsed;
        var isSame = await CompareAsync(figures, withFiles: former is not null);
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Time: reading {reading.TotalSeconds:0.0} s, carrying {(carrying - reading).TotalSeconds:0.0} s, files {(copying - carrying).TotalSeconds:0.0} s, comparing {(watch.Elapsed - copying).TotalSeconds:0.0} s; most memory {process.PeakWorkingSet64 / 1_000_000} MB"
            )
        );
        return isSame ? 0 : DoesNotAddUp;
    }

    private static IFileStore OpenStore(WebApplicationBuilder builder)
    {
        var server = Options.Create(builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new());
        var storage = Options.Create(builder.Configuration.GetSection("Storage").Get<StorageOptions>() ?? new());
        return storage.Value.Kind == "s3" ? new S3FileStore(storage, server) : new LocalFileStore(server);
    }

    private static async Task<bool> CompareAsync(SourceFigures figures, bool withFiles)
    {
        var compared = await figures.CompareAsync(CancellationToken.None);
        compared.AddRange(await figures.CompareFilesAsync(withFiles, CancellationToken.None));
        compared.ForEach(Console.WriteLine);
        var differ = compared.Count(line => line.Differ > 0);
        Console.WriteLine(
            differ == 0
                ? "Everything adds up."
                : string.Create(CultureInfo.InvariantCulture, $"{differ} figures do not add up: docs/from-supabase.md says what to do.")
        );
        return differ == 0;
    }

    private static async Task<OwnerSession> OpenTargetAsync(string owner)
    {
        OwnerSession? session = null;
        try
        {
            session = await OwnerSession.OpenAsync(owner, "reelbase import", CancellationToken.None);
            if (!await session.ScalarAsync<bool>("select to_regprocedure('import_begin(text, text, boolean)') is not null", CancellationToken.None))
            {
                throw new InvalidOperationException("this installation's database is not migrated to this release: run ./reelbase migrate first");
            }
            return session;
        }
        catch (Npgsql.PostgresException error)
            when (error.SqlState is "22023" or "42704" && error.MessageText.Contains("reelbase_owner", StringComparison.Ordinal))
        {
            await (session?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw new InvalidOperationException("this installation's database is not migrated: run ./reelbase migrate first", error);
        }
    }

    private static async Task<ForeignDatabase> OpenSourceAsync(string from)
    {
        try
        {
            return await ForeignDatabase.OpenAsync(ConnectionStrings.Normalize(from), CancellationToken.None);
        }
        catch (Npgsql.NpgsqlException error)
        {
            throw new InvalidOperationException($"the source cannot be reached: {OneLine(error)}", error);
        }
    }

    private static void Print(List<Finding> findings, int max)
    {
        foreach (var kind in findings.GroupBy(finding => finding.Code))
        {
            foreach (var finding in kind.Take(max))
            {
                Console.WriteLine($"report: {finding.Code}: {finding.Line}");
            }
            if (kind.Count() > max)
            {
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"report: {kind.Key}: ... and {kind.Count() - max} more (--all, or select line from import_findings)"
                    )
                );
            }
        }
    }

    private static string OneLine(Exception error) =>
        (error is Npgsql.PostgresException refused ? refused.MessageText + (refused.Hint is { } hint ? $" ({hint})" : "") : error.Message).ReplaceLineEndings(
            " "
        );
}
