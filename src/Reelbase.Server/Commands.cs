using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server;

/// <summary>The verbs of the program.</summary>
public static class Commands
{
    /// <summary>The exit code of <c>migrate</c> when the database is newer than the program.</summary>
    public const int OlderProgram = 3;

    /// <summary>Serves until told to stop.</summary>
    public static async Task<int> ServeAsync(string[] args)
    {
        PrivateCluster? cluster = null;
        try
        {
            var builder = NewBuilder(args);
            StartChecks.Run(builder, OptionsRegistry.Of(Modules.All), withDatabaseAndKeys: true);
            (var owner, cluster) = await FindDatabaseAsync(builder);
            await using var app = ServerApp.Build(builder, await PrepareDatabaseAsync(builder, owner, cluster is not null));
            LogDisabledFeatures(app);
            await app.RunAsync();
            await (cluster?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
            return 0;
        }
        catch (Exception error) when (IsForTheOperator(error))
        {
            // One that was running before belongs to another server, perhaps the one that holds our port.
            await (cluster is { WasRunning: false } ? cluster.StopAsync(CancellationToken.None) : Task.CompletedTask);
            await Console.Error.WriteLineAsync(
                $"Reelbase cannot start: {(error is OptionsValidationException wrong ? string.Join("; ", wrong.Failures) : error.Message)}"
            );
            return 1;
        }
    }

    /// <summary><c>migrate [--database URL] [--dry-run] [--reapply]</c>.</summary>
    public static async Task<int> MigrateAsync(string[] args)
    {
        if (FindWrongWord(args, ["--database"], ["--dry-run", "--reapply"]) is { } wrong)
        {
            await Console.Error.WriteLineAsync($"migrate: {wrong} (./reelbase help)");
            return 2;
        }
        try
        {
            using var logging = LoggerFactory.Create(log => log.AddSimpleConsole());
            var builder = NewBuilder([]);
            var isDryRun = args.Contains("--dry-run");
            var result = await WithOwnerAsync(
                builder,
                args,
                owner =>
                    new Migrator(owner, logging.CreateLogger("migrate"))
                    {
                        Reapply = args.Contains("--reapply"),
                        KeptRoles = RolePasswords.KeptByOperator(DatabaseOptionsOf(builder)),
                    }.RunAsync(isDryRun, CancellationToken.None)
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
        catch (Exception error) when (IsForTheOperator(error))
        {
            await Console.Error.WriteLineAsync($"migrate: {error.Message}");
            return 1;
        }
    }

    /// <summary>Refuses a verb that there is not.</summary>
    public static int RefuseVerb(string verb)
    {
        Console.Error.WriteLine(
            $"'{verb}' is no verb{(SettingNames.Nearest(verb, ["migrate", "admin", "import", "version", "doctor", "help"]) is { } near ? $"; did you mean {near}?" : "")} (--help lists them)"
        );
        return 2;
    }

    /// <summary>Says what there is.</summary>
    public static int Help()
    {
        Console.WriteLine(
            "Reelbase server. Without a verb it serves; verbs: migrate [--database URL] [--dry-run] [--reapply], import ... (import --help), version, doctor [--json], and admin ... (admin --help lists them)."
        );
        return 0;
    }

    /// <summary>The owner's connection, or null on a node that was given only the roles' connections.</summary>
    private static async Task<(string? Owner, PrivateCluster? Cluster)> FindDatabaseAsync(WebApplicationBuilder builder)
    {
        var options = DatabaseOptionsOf(builder);
        return options.ConnectionString is { Length: > 0 } || options.ApiConnectionString is null ? await OwnerAsync(builder) : (null, null);
    }

    private static async Task<ConnectionStrings> PrepareDatabaseAsync(WebApplicationBuilder builder, string? owner, bool isPrivate)
    {
        var options = builder.Configuration.GetSection("Database").Get<DatabaseOptions>() ?? new();
        if (owner is not null)
        {
            using var logging = LoggerFactory.Create(log => log.AddSimpleConsole());
            await BringUpToDateAsync(owner, options, isPrivate, logging.CreateLogger("migrate"));
        }
        if (isPrivate)
        {
            // Nothing stands between us and our own server, so statements may stay prepared.
            builder.Configuration["Database:MaxPreparedStatements"] ??= "50";
        }
        return ConnectionStrings.From(options, owner);
    }

    /// <summary>Migrates, or with <c>MigrateAtStart</c> off only compares; a program that the database has left behind does not serve.</summary>
    private static async Task BringUpToDateAsync(string owner, DatabaseOptions options, bool isPrivate, ILogger logger)
    {
        var mayMigrate = options.MigrateAtStart;
        MigrationResult result;
        try
        {
            // Nobody rolls nodes over a private PostgreSQL, and a developer goes back and forth between branches.
            result = await new Migrator(owner, logger)
            {
                Reapply = isPrivate,
                IsPrivate = isPrivate,
                KeptRoles = RolePasswords.KeptByOperator(options),
            }.RunAsync(dryRun: !mayMigrate, CancellationToken.None);
        }
        catch (NpgsqlException error) when (!mayMigrate)
        {
            logger.LogWarning("The database cannot be compared with this program: {Message}", error.Message);
            return;
        }
        if (result.Older is { } why)
        {
            if (!result.MayServe)
            {
                throw new MigrationException($"{why}, which it no longer supports: start the newer program");
            }
            logger.LogWarning("{Reason}: nothing was applied, and this node serves beside newer ones", why);
        }
        else if (!mayMigrate && result.Files.Count > 0)
        {
            logger.LogWarning("{Count} SQL files of this program are not applied: run ./reelbase migrate", result.Files.Count);
        }
    }

    /// <summary>What an operator can do something about is said in one line, without a stack trace.</summary>
    internal static bool IsForTheOperator(Exception error) =>
        error
            is OptionsValidationException
                or InvalidOperationException
                or ArgumentException
                or MigrationException
                or PrivateClusterException
                or NpgsqlException
                or IOException
                or UnauthorizedAccessException;

    /// <summary>Does something on the database that is meant, and leaves a private PostgreSQL as it was found.</summary>
    internal static async Task<T> WithOwnerAsync<T>(WebApplicationBuilder builder, string[] args, Func<string, Task<T>> act, bool mustExist = false)
    {
        if (Value(args, "--database") is { } given)
        {
            await WarnOfPasswordAsync(given);
            return await act(ConnectionStrings.Normalize(given));
        }
        if (mustExist)
        {
            RequireInstallation(builder);
        }
        var (owner, cluster) = await OwnerAsync(builder);
        try
        {
            return await act(owner);
        }
        finally
        {
            if (cluster is { WasRunning: false })
            {
                await cluster.StopAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>
    /// The address of the role that the command line works as, where the owner's is not given: that one is enough for whatever only reads and changes rows.
    /// </summary>
    internal static bool HasAdminAddressOnly(WebApplicationBuilder builder, string[] args) =>
        Value(args, "--database") is null && DatabaseOptionsOf(builder) is { ConnectionString: null or "", AdminConnectionString.Length: > 0 };

    /// <summary>What arguments say is read by everybody on the machine.</summary>
    internal static async Task WarnOfPasswordAsync(string address)
    {
        if (HasPassword(address))
        {
            await Console.Error.WriteLineAsync(
                "warning: the password in --database can be read by everybody on this machine while this runs: give the address in the variable REELBASE__Database__ConnectionString"
            );
        }
    }

    /// <summary>Whether an address carries a password.</summary>
    internal static bool HasPassword(string address) =>
        ConnectionStrings.IsAddress(address) && new Npgsql.NpgsqlConnectionStringBuilder(ConnectionStrings.Normalize(address)).Password is { Length: > 0 };

    internal static async Task<(string Owner, PrivateCluster? Cluster)> OwnerAsync(WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection("Database").Get<DatabaseOptions>() ?? new();
        if (options.ConnectionString is { Length: > 0 } given)
        {
            return (ConnectionStrings.Normalize(given), null);
        }
        if (builder.Environment.IsProduction() && !options.AllowPrivateInProduction)
        {
            throw new InvalidOperationException(
                "Database:ConnectionString is missing; in Production an empty new database must not look like success (set Database:AllowPrivateInProduction=true to keep a private PostgreSQL on purpose)"
            );
        }
        if (options.WalArchiveDirectory is { Length: > 0 } archive)
        {
            await PrivateCluster.PrepareDirectoryAsync(archive, CancellationToken.None);
        }
        var cluster = await PrivateCluster.StartAsync(PrivateHome(builder), options.BinDirectory, PrivateSettings(options), CancellationToken.None);
        return (cluster.ConnectionString, cluster);
    }

    /// <summary>Whether there is a private PostgreSQL, or a database of the operator's own is meant.</summary>
    internal static bool HasInstallation(WebApplicationBuilder builder) =>
        DatabaseOptionsOf(builder).ConnectionString is { Length: > 0 } || PrivateCluster.Exists(PrivateHome(builder));

    /// <summary>A mistyped folder is refused and not filled: a verb that works on an installation makes none.</summary>
    internal static void RequireInstallation(WebApplicationBuilder builder)
    {
        if (!HasInstallation(builder))
        {
            throw new ArgumentException(
                $"there is no private PostgreSQL in {Path.GetFullPath(PrivateHome(builder))} (looked for by --data or Server:DataDirectory, since neither --database nor Database:ConnectionString is given); nothing was made. ./reelbase run makes one; where it was given --data DIR, give the same here"
            );
        }
    }

    /// <summary>Where the private PostgreSQL of this configuration lives.</summary>
    internal static string PrivateHome(WebApplicationBuilder builder) =>
        Path.Combine((builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new()).DataDirectory, "postgresql");

    /// <summary>Its settings, with the archive when there is one.</summary>
    internal static IReadOnlyDictionary<string, string> PrivateSettings(DatabaseOptions options) =>
        options.WalArchiveDirectory is { Length: > 0 } archive
            ? PrivateCluster.ArchiveSettings(archive, options.WalArchiveSeconds).Concat(options.PrivateSettings).ToDictionary()
            : options.PrivateSettings;

    private static void LogDisabledFeatures(WebApplication app)
    {
        if (app.Services.GetRequiredService<Integrations.VideoProviders>().All.Count == 0)
        {
            app.Logger.LogWarning("No video provider is configured (Fal:ApiKey): jobs wait in line until their deadline");
        }
        if (!app.Services.GetRequiredService<IOptions<Integrations.Apple.DeviceCheck.DeviceCheckOptions>>().Value.IsConfigured)
        {
            app.Logger.LogWarning(
                "DeviceCheck is not configured (DeviceCheck:TeamId, KeyId, PrivateKeyFile): no device is verified and no free credits are granted"
            );
        }
        if (app.Services.GetRequiredService<IOptions<Integrations.Apple.DeviceCheck.DeviceCheckOptions>>().Value.AcceptIosSimulators)
        {
            app.Logger.LogWarning("DeviceCheck:AcceptIosSimulators is on: whoever names an iOS Simulator brings a device of their own");
        }
        foreach (var (isOn, what) in AppleFeatures(app.Services))
        {
            if (!isOn)
            {
                app.Logger.LogWarning("{Feature}", what);
            }
        }
        var server = app.Services.GetRequiredService<IOptions<ServerOptions>>().Value;
        if (server.PublicUrl is null)
        {
            app.Logger.LogWarning("Server:PublicUrl is not set: providers cannot reach us, jobs are polled");
        }
        if (app.Environment.IsProduction() && app.Services.GetRequiredService<IOptions<Platform.Telemetry.TelemetryOptions>>().Value.MetricsToken is null or "")
        {
            app.Logger.LogWarning("Telemetry:MetricsToken is not set: /metrics is not served in Production");
        }
        if (app.Environment.IsProduction() && DatabaseTransport.FindUnverifiedHost(app.Services.GetRequiredService<ConnectionStrings>()) is { } unverified)
        {
            app.Logger.LogWarning(
                "The database at {Host} is reached without a verified certificate: add sslmode=verify-full to its address, unless nobody else is in that network",
                unverified
            );
        }
        if (server.AcceptUnverifiedUserId)
        {
            app.Logger.LogWarning(
                "INSECURE: Server:AcceptUnverifiedUserId is on until {Until}; anybody who knows a user_id can act as that user. Turn it off as soon as shipped apps send tokens",
                server.AcceptUnverifiedUserIdUntil?.ToString("u", System.Globalization.CultureInfo.InvariantCulture) ?? "somebody turns it off"
            );
        }
    }

    private static IEnumerable<(bool IsOn, string What)> AppleFeatures(IServiceProvider services)
    {
        var store = services.GetRequiredService<IOptions<Integrations.Apple.AppStore.AppStoreOptions>>().Value;
        var attest = services.GetRequiredService<IOptions<Integrations.Apple.AppAttest.AppAttestOptions>>().Value;
        yield return (
            attest.IsConfigured || attest.Policy == "off",
            "App Attest is off (AppAttest:TeamId, BundleIds): whoever knows a device id and has any iPhone opens its guest"
        );
        yield return (store.CanVerify, "Purchases are off (AppStore:BundleId, AppAppleId, RootCertificateFile)");
        yield return (
            !store.CanVerify || store.CanAsk,
            "The App Store cannot be asked (AppStore:IssuerId, KeyId, PrivateKeyFile): bare transaction ids are not looked up and nothing is reconciled"
        );
        var signIn = services.GetRequiredService<IOptions<Integrations.Apple.SignIn.AppleSignInOptions>>().Value;
        yield return (signIn.CanVerify, "Sign in with Apple is off (AppleSignIn:ClientIds)");
        yield return (
            !signIn.CanVerify || signIn.CanAsk,
            "Apple's permission is not taken back when an account is deleted (AppleSignIn:TeamId, KeyId, PrivateKeyFile)"
        );
        yield return (
            services.GetRequiredService<IOptions<Integrations.Apple.Apns.ApnsOptions>>().Value.IsConfigured,
            "Pushes are off (Apns:Topic, TeamId, KeyId, PrivateKeyFile)"
        );
    }

    /// <summary>Settings lie beside the program, wherever it is started from.</summary>
    internal static WebApplicationBuilder NewBuilder(string[] args)
    {
        // Settings are read at start and checked there; a watch over their files would only take one of the machine's few inotify instances.
        string[] settings = ["--hostBuilder:reloadConfigOnChange=false", .. args];
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = settings, ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Insert(0, new EnvironmentVariablesConfigurationSource { Prefix = SettingNames.ProposalPrefix });
        builder.Configuration.AddEnvironmentVariables(SettingNames.EnvironmentPrefix);
        return builder;
    }

    internal static DatabaseOptions DatabaseOptionsOf(WebApplicationBuilder builder) =>
        builder.Configuration.GetSection("Database").Get<DatabaseOptions>() ?? new();

    /// <summary>What is wrong with the words of a verb: a slip in an option that only looks must not let it write.</summary>
    internal static string? FindWrongWord(string[] args, string[] withValue, string[] alone)
    {
        for (var i = 0; i < args.Length; i++)
        {
            if (withValue.Contains(args[i]))
            {
                if (++i == args.Length || args[i].Length == 0 || args[i].StartsWith("--", StringComparison.Ordinal))
                {
                    return $"{args[i - 1]} needs a value";
                }
            }
            else if (!alone.Contains(args[i]))
            {
                return args[i].StartsWith('-')
                    ? $"there is no option {args[i]}{(SettingNames.Nearest(args[i], [.. withValue, .. alone]) is { } near ? $"; did you mean {near}?" : "")}"
                    : $"{args[i]} stands alone: no option is before it";
            }
        }
        return null;
    }

    internal static string? Value(string[] args, string name)
    {
        var index = Array.IndexOf(args, name);
        return index >= 0 && index + 1 < args.Length ? args[index + 1] : null;
    }
}
