using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Media;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Telemetry;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Platform;

/// <summary>What features stand on: databases, keys, errors, files, media tools.</summary>
public sealed class PlatformModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables =>
        [
            "error_log",
            "idempotency_log",
            "installation",
            "rate_limit_log",
            "schedules",
            "reelbase.migration_report",
            "reelbase.schema_files",
            "reelbase.schema_releases",
            "reelbase.schema_versions",
        ];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options)
    {
        options.Add<ServerOptions>("Server");
        options.Add<FloodOptions>("Flood");
        options.Add<LiveOptions>("Live");
        options.Add<DatabaseOptions>("Database");
        options.Add<SecurityOptions>("Security");
        options.Add<WorkOptions>("Work");
        options.Add<StorageOptions>("Storage");
        options.Add<DownloadOptions>("Downloads");
        options.Add<MediaOptions>("Media");
        options.Add<TelemetryOptions>("Telemetry");
    }

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<OutsideSystems>();
        services.AddSingleton<ForwardingMonitor>();
        services.AddSingleton<PeerConnections>();
        services.AddSingleton(provider => new ApiDatabase(provider.GetRequiredService<ConnectionStrings>(), MaxPreparedStatements(provider)));
        services.AddSingleton(provider => new WorkerDatabase(provider.GetRequiredService<ConnectionStrings>(), MaxPreparedStatements(provider)));
        services.AddSingleton(provider =>
            Keys.Load(
                provider.GetRequiredService<IOptions<SecurityOptions>>().Value,
                Path.Combine(provider.GetRequiredService<IOptions<ServerOptions>>().Value.DataDirectory, "keys"),
                mayCreate: !context.IsProduction
            )
        );
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<UnverifiedUses>();
        services.AddSingleton<CallerResolver>();
        services.AddSingleton<SupabaseCallers>();
        services.AddSingleton<ReachedLimits>();
        services.AddSingleton<LiveConnections>();
        if (context.Read<StorageOptions>("Storage").Kind == "local")
        {
            services.TryAddSingleton<IFileStore, LocalFileStore>();
        }
        services.AddSingleton<FileScanner>();
        services.AddSingleton<Dialer>();
        services.AddSingleton<FileDownloader>();
        services.AddSingleton<VideoTools>();
        services.AddExceptionHandler<ErrorWriter>();
        services.AddSingleton<ErrorWriter>();
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnEveryNode<ChangeFeed>();
        workers.OnEveryNode<PrimaryGuard>();
        workers.OnEveryNode<ErrorRecorder>();
    }

    /// <inheritdoc/>
    public void CheckAtStart(IServiceProvider services, ModuleContext context)
    {
        CrashPoints.Arm(context.IsProduction ? null : services.GetRequiredService<IOptions<WorkOptions>>().Value.CrashAt);
        // Missing keys are said at start and not at the first request.
        services.GetRequiredService<Keys>();
    }

    private static int MaxPreparedStatements(IServiceProvider services) => services.GetRequiredService<IOptions<DatabaseOptions>>().Value.MaxPreparedStatements;
}
