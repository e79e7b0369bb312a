using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Cli;

/// <summary>The program without a verb: it serves.</summary>
internal static class ServeCommand
{
    /// <summary>Serves until a signal stops it.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        PrivateCluster? cluster = null;
        // Until the host listens for them: a program that ends at once would leave its PostgreSQL behind.
        using var stopping = new CancellationTokenSource();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
        try
        {
            var builder = Installation.NewBuilder(args);
            StartChecks.Run(builder, OptionsRegistry.Of(Modules.All), withDatabaseAndKeys: true);
            (var owner, cluster) = await FindDatabaseAsync(builder);
            stopping.Token.ThrowIfCancellationRequested();
            await using var app = ServerApp.Build(builder, await PrepareDatabaseAsync(builder, owner, cluster is not null));
            LogDisabledFeatures(app);
            var ready = app.Services.GetRequiredService<NodeReady>();
            await app.RunAsync(stopping.Token);
            await (cluster?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
            return ready.HasFailed ? 1 : 0;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // While it was starting.
            await (cluster is { WasRunning: false } ? cluster.StopAsync(CancellationToken.None) : Task.CompletedTask);
            return 0;
        }
        catch (Exception error) when (Installation.IsForTheOperator(error))
        {
            // One that was running before belongs to another server, perhaps the one that holds our port.
            await (cluster is { WasRunning: false } ? cluster.StopAsync(CancellationToken.None) : Task.CompletedTask);
            await Console.Error.WriteLineAsync(
                $"Reelbase cannot start: {(error is OptionsValidationException wrong ? string.Join("; ", wrong.Failures) : error.Message)}"
            );
            return 1;
        }
    }

    /// <summary>The owner's connection, or null on a node that was given only the roles' connections.</summary>
    private static async Task<(string? Owner, PrivateCluster? Cluster)> FindDatabaseAsync(WebApplicationBuilder builder)
    {
        var options = Installation.DatabaseOptionsOf(builder);
        return options.ConnectionString is { Length: > 0 } || options.ApiConnectionString is null ? await Installation.OwnerAsync(builder) : (null, null);
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

    private static void LogDisabledFeatures(WebApplication app)
    {
        if (app.Services.GetRequiredService<Integrations.VideoProviders>().All.Count == 0)
        {
            app.Logger.LogWarning("No video provider is configured (Fal:ApiKey): jobs wait in their queue until the deadline");
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
}
