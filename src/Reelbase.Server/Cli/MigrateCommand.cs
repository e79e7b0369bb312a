using System.CommandLine;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Cli;

/// <summary><c>migrate</c>: brings the database to this program's schema.</summary>
internal static class MigrateCommand
{
    /// <summary>The exit code when the database is newer than the program.</summary>
    public const int OlderProgram = 3;

    /// <summary>The verb.</summary>
    public static Command New()
    {
        var database = Words.Database();
        var dryRun = Words.Flag("--dry-run", "say what would be applied, and change nothing");
        var reapply = Words.Flag("--reapply", "apply every repeatable file again, also those that have not changed");
        Command verb = new("migrate", "bring the database to this program's schema; ends with 3 when the database is newer than the program")
        {
            database,
            dryRun,
            reapply,
        };
        verb.SetAction((result, _) => RunAsync(result.GetValue(database), result.GetValue(dryRun), result.GetValue(reapply)));
        return verb;
    }

    private static async Task<int> RunAsync(string? given, bool isDryRun, bool isReapplied)
    {
        try
        {
            using var logging = LoggerFactory.Create(log => log.AddSimpleConsole());
            var builder = Installation.NewBuilder([]);
            var result = await Installation.WithOwnerAsync(
                builder,
                given,
                owner =>
                    new Migrator(owner, logging.CreateLogger("migrate"))
                    {
                        Reapply = isReapplied,
                        KeptRoles = RolePasswords.KeptByOperator(Installation.DatabaseOptionsOf(builder)),
                    }.RunAsync(isDryRun, CancellationToken.None),
                mustExist: isDryRun
            );
            if (result.Older is { } why)
            {
                await Console.Error.WriteLineAsync(
                    $"migrate: {why}: this program is older, and nothing was changed. Use the newer program{(result.MayServe ? "" : "; this one must not serve either")}."
                );
                return OlderProgram;
            }
            foreach (var file in result.Files)
            {
                Console.WriteLine($"{(isDryRun ? "would apply" : "applied")} {file}");
            }
            foreach (var line in result.Report)
            {
                Console.WriteLine($"report: {line}");
            }
            Console.WriteLine(
                result.Files.Count == 0 ? "The database is up to date."
                : isDryRun ? $"{result.Files.Count} files would be applied."
                : $"The database is up to date; {result.Files.Count} files were applied."
            );
            return 0;
        }
        catch (Exception error) when (Installation.IsForTheOperator(error))
        {
            await Console.Error.WriteLineAsync($"migrate: {error.Message}");
            return 1;
        }
    }
}
