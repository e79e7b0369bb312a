using System.Reflection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Accounts;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Ages;
using Reelbase.Server.Features.Alerts;
using Reelbase.Server.Features.AppSettings;
using Reelbase.Server.Features.Catalog;
using Reelbase.Server.Features.Catalog.Console;
using Reelbase.Server.Features.Cleanup;
using Reelbase.Server.Features.Credits;
using Reelbase.Server.Features.Devices;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.GenerateVideo;
using Reelbase.Server.Features.GenerateVideo.Queue;
using Reelbase.Server.Features.Live;
using Reelbase.Server.Features.Moderation;
using Reelbase.Server.Features.Nodes;
using Reelbase.Server.Features.PromoCodes;
using Reelbase.Server.Features.ProviderCallbacks;
using Reelbase.Server.Features.Providers;
using Reelbase.Server.Features.Purchases;
using Reelbase.Server.Features.Push;
using Reelbase.Server.Features.Reports;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Features.SignIn;
using Reelbase.Server.Features.Statistics;
using Reelbase.Server.Features.Supabase;
using Reelbase.Server.Features.Supabase.Auth;
using Reelbase.Server.Features.Supabase.Functions;
using Reelbase.Server.Features.Supabase.Realtime;
using Reelbase.Server.Features.Supabase.Rest;
using Reelbase.Server.Features.Supabase.ShippedBuilds;
using Reelbase.Server.Features.VideoLibrary;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Integrations.Apple.AppAttest;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Integrations.Fal;
using Reelbase.Server.Integrations.S3;
using Reelbase.Server.Integrations.Telegram;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Media;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Storage;
using Reelbase.Server.Platform.Telemetry;
using Reelbase.Server.Platform.Work;
using Scalar.AspNetCore;

namespace Reelbase.Server;

/// <summary>Puts the program together: options, platform, integrations, then each role's features.</summary>
public static class ServerApp
{
    /// <summary>The largest answer of Apple or Telegram that is read; a page of twenty signed transactions is a fortieth of it.</summary>
    private const int MaxAnswerBytes = 4 * 1024 * 1024;

    /// <summary>What stopping takes beside the draining of work.</summary>
    private const int StopSeconds = 10;

    /// <summary>Builds the server on a database that is ready.</summary>
    /// <param name="builder">Configuration and logging.</param>
    /// <param name="strings">How each role reaches the database.</param>
    /// <param name="providersFrom">Further assemblies whose video providers join.</param>
    public static WebApplication Build(WebApplicationBuilder builder, ConnectionStrings strings, params IReadOnlyCollection<Assembly> providersFrom)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = WebhookEndpoint.MaxBodyBytes;
            // PacedBodyStream has this rule, with an answer.
            kestrel.Limits.MinRequestBodyDataRate = null;
        });
        var services = builder.Services;
        // All at once, so that each work loop has its whole time to drain, and longer than that.
        services
            .AddOptions<HostOptions>()
            .Configure<IOptions<WorkOptions>>(
                (host, work) =>
                {
                    host.ServicesStopConcurrently = true;
                    host.ShutdownTimeout = TimeSpan.FromSeconds(work.Value.DrainSeconds + StopSeconds);
                }
            );
        services.ConfigureHttpJsonOptions(json => Json.Configure(json.SerializerOptions));
        var modules = VideoProviderModules.Find(providersFrom);
        StartChecks.Run(builder, modules, withDatabaseAndKeys: false);
        AddOptions(services, builder.Configuration, modules);
        AddPlatform(services, builder, strings);
        AddIntegrations(services, modules);
        var server = builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new();
        AddFeatures(services, server);
        var admin = builder.Configuration.GetSection("Admin").Get<AdminOptions>() ?? new();
        if (server.Has("admin"))
        {
            ConsoleSetup.Check(admin, builder.Environment.IsProduction());
            ConsoleSetup.Add(services, admin, new ConsoleCookies(server, admin, builder.Environment.IsProduction()));
            ConsoleSetup.Listen(builder, admin);
            services.AddSingleton<CatalogPreview>();
        }
        services.AddOpenApi("v1", ApiDocument.Configure);
        TelemetrySetup.Add(builder);
        GlobalRateLimiter.Add(services, builder.Configuration.GetSection("Flood").Get<FloodOptions>() ?? new());
        services.AddCors();
        var app = builder.Build();
        CrashPoints.Arm(app.Environment.IsProduction() ? null : app.Services.GetRequiredService<IOptions<WorkOptions>>().Value.CrashAt);
        // Missing keys are said at start and not at the first request.
        app.Services.GetRequiredService<Keys>();
        app.Services.GetRequiredService<SignedData>();
        app.Services.GetRequiredService<AppAttestVerifier>();
        if (server.Has("worker"))
        {
            CheckDrain(app.Services.GetRequiredService<IOptions<WorkOptions>>().Value, app.Services.GetRequiredService<VideoProviders>(), modules);
        }
        Use(app, server, admin);
        return app;
    }

    /// <summary>Every section of the configuration; docs/configuration.md is made from this list.</summary>
    internal static IReadOnlyList<(string Section, Type Type)> Sections { get; } =
    [
        ("Server", typeof(ServerOptions)),
        ("Flood", typeof(FloodOptions)),
        ("Live", typeof(LiveOptions)),
        ("Realtime", typeof(RealtimeOptions)),
        ("Database", typeof(DatabaseOptions)),
        ("Security", typeof(SecurityOptions)),
        ("Work", typeof(WorkOptions)),
        ("Devices", typeof(DevicesOptions)),
        ("Supabase", typeof(SupabaseOptions)),
        ("Generation", typeof(GenerationOptions)),
        ("Consent", typeof(ConsentOptions)),
        ("Ages", typeof(AgesOptions)),
        ("Callbacks", typeof(CallbackOptions)),
        ("Catalog", typeof(CatalogOptions)),
        ("Moderation", typeof(ModerationOptions)),
        ("Storage", typeof(StorageOptions)),
        ("Files", typeof(FilesOptions)),
        ("Uploads", typeof(UploadsOptions)),
        ("Downloads", typeof(DownloadOptions)),
        ("Media", typeof(MediaOptions)),
        ("Cleanup", typeof(CleanupOptions)),
        ("Alerts", typeof(AlertsOptions)),
        ("Telegram", typeof(TelegramOptions)),
        ("Telemetry", typeof(TelemetryOptions)),
        ("Admin", typeof(AdminOptions)),
        ("Supabase", typeof(RestOptions)),
        .. VideoProviderModules.Find().Select(module => (module.Section, module.OptionsType)),
        ("Purchases", typeof(PurchasesOptions)),
        ("PromoCodes", typeof(PromoCodesOptions)),
        ("DeviceCheck", typeof(DeviceCheckOptions)),
        ("AppAttest", typeof(AppAttestOptions)),
        ("AppStore", typeof(AppStoreOptions)),
        ("AppleSignIn", typeof(AppleSignInOptions)),
        ("Apns", typeof(ApnsOptions)),
    ];

    private static void AddOptions(IServiceCollection services, IConfiguration configuration, IReadOnlyList<IVideoProviderModule> modules)
    {
        var bind = typeof(ServerApp).GetMethod(nameof(Bind), BindingFlags.NonPublic | BindingFlags.Static)!;
        foreach (var (section, type) in Sections.Union(modules.Select(module => (module.Section, module.OptionsType))))
        {
            bind.MakeGenericMethod(type).Invoke(null, [services, configuration, section]);
        }
    }

    private static void Bind<T>(IServiceCollection services, IConfiguration configuration, string section)
        where T : class
    {
        services.AddOptions<T>().Bind(configuration.GetSection(section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<T>>(new SectionRules<T>(section));
    }

    /// <summary>A worker that stops may not break a submission off.</summary>
    private static void CheckDrain(WorkOptions work, VideoProviders providers, IReadOnlyList<IVideoProviderModule> modules)
    {
        if (providers.All.MaxBy(provider => provider.Options.SubmitTimeoutSeconds) is { } slowest && slowest.Options.SubmitTimeoutSeconds > work.DrainSeconds)
        {
            var section = modules.First(module => module.OptionsType == slowest.Options.GetType()).Section;
            throw new OptionsValidationException(
                "Work",
                typeof(WorkOptions),
                [$"Work:DrainSeconds must be at least {section}:SubmitTimeoutSeconds ({slowest.Options.SubmitTimeoutSeconds})"]
            );
        }
    }

    private static void AddPlatform(IServiceCollection services, WebApplicationBuilder builder, ConnectionStrings strings)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Readiness>();
        services.AddSingleton<OutsideSystems>();
        services.AddSingleton<ForwardingMonitor>();

        services.AddSingleton(strings);
        services.AddSingleton(provider => new ApiDatabase(strings, provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.MaxPreparedStatements));
        services.AddSingleton(provider => new WorkerDatabase(strings, provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.MaxPreparedStatements));
        services.AddSingleton(provider =>
            Keys.Load(
                provider.GetRequiredService<IOptions<SecurityOptions>>().Value,
                Path.Combine(provider.GetRequiredService<IOptions<ServerOptions>>().Value.DataDirectory, "keys"),
                mayCreate: !builder.Environment.IsProduction()
            )
        );
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<UnverifiedUses>();
        services.AddSingleton<CallerResolver>();
        services.AddSingleton<ReachedLimits>();
        services.AddSingleton<LiveConnections>();
        services.TryAddSingleton<IFileStore>(provider =>
            provider.GetRequiredService<IOptions<StorageOptions>>().Value.Kind == "s3"
                ? ActivatorUtilities.CreateInstance<S3FileStore>(provider)
                : ActivatorUtilities.CreateInstance<LocalFileStore>(provider)
        );
        services.AddSingleton<Dialer>();
        services.AddSingleton<FileDownloader>();
        services.AddSingleton<VideoTools>();
        services.AddExceptionHandler<ErrorWriter>();
        services.AddSingleton<ErrorWriter>();
        AddHosted<ChangeFeed>(services);
        services.AddHostedService<PrimaryGuard>();
        AddHosted<ErrorRecorder>(services);
    }

    private static void AddIntegrations(IServiceCollection services, IReadOnlyList<IVideoProviderModule> modules)
    {
        services
            .AddHttpClient("fal-keys", client => client.Timeout = TimeSpan.FromSeconds(10))
            .AddHttpMessageHandler(provider => new OutsideHandler(provider.GetRequiredService<OutsideSystems>(), "fal_keys"))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5) });
        services
            .AddHttpClient(Moderator.ClientName)
            .AddHttpMessageHandler(provider => new OutsideHandler(provider.GetRequiredService<OutsideSystems>(), "moderation"))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5) });
        foreach (
            var (name, system) in ((string, string)[])
                [
                    (DeviceCheckClient.ClientName, "device_check"),
                    (AppStoreClient.ClientName, "app_store"),
                    (AppleTokens.ClientName, "apple_sign_in"),
                    (TelegramClient.ClientName, "telegram"),
                    (AlertWorker.ClientName, "alert_webhook"),
                ]
        )
        {
            services
                .AddHttpClient(name, client => client.MaxResponseContentBufferSize = MaxAnswerBytes)
                .AddHttpMessageHandler(provider => new OutsideHandler(provider.GetRequiredService<OutsideSystems>(), system))
                .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5) });
        }
        services.AddSingleton<FalWebhookKeys>();
        services.AddSingleton<FalWebhooks>();
        services.AddSingleton(provider => new VideoProviders(modules, provider));
        services.AddSingleton<DeviceCheckClient>();
        services.AddSingleton(provider => new AppAttestVerifier(
            provider.GetRequiredService<IOptions<AppAttestOptions>>().Value.Trust(provider.GetRequiredService<IHostEnvironment>().IsProduction())
        ));
        services.AddSingleton<SignedData>();
        services.AddSingleton<AppStoreClient>();
        services.AddSingleton<AppleTokens>();
        services.AddSingleton<AppleSignInClient>();
        services.AddSingleton<ApnsClient>();
        services.AddSingleton<TelegramClient>();
    }

    private static void AddFeatures(IServiceCollection services, ServerOptions server)
    {
        services.AddSingleton<FileLinks>();
        services.AddSingleton<StorageQuota>();
        services.AddSingleton<FileScanner>();
        // Before everything that works on files.
        AddHosted<StoreGuard>(services);
        services.AddHostedService<NodeHeartbeat>();
        services.AddHostedService<OutsideRecorder>();
        services.AddSingleton<ProviderHealthMonitor>();
        services.AddSingleton<IProviderHealthListener>(provider => provider.GetRequiredService<ProviderHealthMonitor>());
        services.AddSingleton<IAppStoreHealthListener, AppStoreHealthListener>();
        services.AddSingleton<IOperationPreparation, PurchaseAssignment>();
        services.AddSingleton<IOperationPreparation, PromoCodePreparation>();
        services.AddSingleton<IOperationCompletion, ModelPreview>();
        if (server.Has("api"))
        {
            // Nodes that accept nothing decide nothing about it, whatever their settings are.
            services.AddHostedService<ConsentRule>();
            services.AddHostedService<AgePolicies>();
            AddHosted<ServerLimits>(services);
            services.AddSingleton<SessionService>();
            services.AddSingleton<SupabaseCallers>();
            services.AddSingleton<IErrorShape, AuthErrors>();
            services.AddSingleton<IErrorShape, RestErrors>();
            RestEndpoint.Add(services);
            services.AddHostedService<UnverifiedUsesRecorder>();
            services.AddSingleton<IErrorShape, StorageErrors>();
            services.AddSingleton<PictureUploads>();
            services.AddSingleton<DeviceChallengeEndpoint>();
            services.AddSingleton<DeviceAttestation>();
            services.AddSingleton<NewDeviceLimit>();
            services.AddSingleton<DeviceCheckEndpoint>();
            services.AddSingleton<JobView>();
            AddHosted<LiveHub>(services);
            AddHosted<StreamHeartbeat>(services);
            services.AddSingleton<GenerationLimit>();
            RealtimeEndpoint.Add(services);
            services.AddSingleton<Moderator>();
            services.AddSingleton<ImageUrlRules>();
            services.AddSingleton<PictureCopies>();
            services.AddSingleton<AppleSignIn>();
            services.AddSingleton<AppleAuthorizations>();
        }
        services.AddHostedService<QueueKeeper>();
        if (server.Has("worker"))
        {
            // First, because it says which providers there are before anything is served or worked on.
            services.AddHostedService(provider => provider.GetRequiredService<ProviderHealthMonitor>());
            services.AddHostedService<RestoreGuard>();
            services.AddSingleton<VideoFetcher>();
            services.AddSingleton<JobPictures>();
            services.AddHostedService<VideoJobWorker>();
            services.AddHostedService<WebhookWorker>();
            services.AddHostedService<DeviceGrantWorker>();
            services.AddHostedService<TemporaryGuestWorker>();
            services.AddHostedService<FileRemover>();
            AddHosted<StorageReconciler>(services);
            services.AddHostedService<StorageUseWorker>();
            AddHosted<ProviderBills>(services);
            AddHosted<SubmissionSettler>(services);
            AddHosted<StatisticsWorker>(services);
            services.AddHostedService<ModelKeeper>();
            services.AddHostedService<AppStoreNotificationWorker>();
            services.AddHostedService<PurchaseClaimWorker>();
            services.AddHostedService<Reconciler>();
            services.AddHostedService<WaitingPurchaseWorker>();
            services.AddHostedService<AppleAuthorizationWorker>();
            services.AddHostedService<AppleAccountEventWorker>();
            services.AddHostedService<PushWorker>();
            services.AddHostedService<Cleaner>();
            services.AddHostedService<AlertWorker>();
            services.AddHostedService<LedgerChecker>();
        }
    }

    private static void Use(WebApplication app, ServerOptions server, AdminOptions admin)
    {
        RequestPipeline.UsePathBase(app, server);
        FunctionCalls.Use(app);
        RequestPipeline.Use(app, server, admin.ListenUrl, admin.PublicUrl);
        if (server.Has("admin"))
        {
            ConsoleSetup.Use(app, admin);
            ConsoleSetup.Map(app);
        }
        if (server.Has("api") || server.Has("admin"))
        {
            // The console plays videos.
            app.MapFiles();
        }
        foreach (var prefix in new[] { "", "/functions/v1" })
        {
            var group = app.MapGroup(prefix);
            if (prefix.Length > 0)
            {
                group.ExcludeFromDescription();
                ((IEndpointConventionBuilder)group).Finally(Unname);
            }
            if (server.Has("admin"))
            {
                group.MapAdmin();
            }
            if (server.Has("api"))
            {
                MapApi(group);
            }
        }
        if (server.Has("api"))
        {
            app.MapAuth();
            app.MapUploads();
            app.MapStorage();
            WebhookEndpoint.Map(app);
            RestEndpoint.Map(app);
            RealtimeEndpoint.Map(app);
            app.MapOpenApi("/openapi/{documentName}.json");
            // Its script is served from here and its fonts are the reader's own: the page asks nothing of anybody else.
            app.MapScalarApiReference(
                "/docs",
                page => page.WithTitle("Reelbase API").WithOpenApiRoutePattern("/openapi/v1.json").DisableDefaultFonts().WithNonce()
            );
        }
        TelemetrySetup.MapMetrics(app, app.Services.GetRequiredService<IOptions<TelemetryOptions>>().Value);
        HealthEndpoints.Map(app);
    }

    /// <summary>What apps call, once at the root and once where Supabase's clients look for it.</summary>
    private static void MapApi(RouteGroupBuilder group)
    {
        DeviceChallengeEndpoint.Map(group);
        DeviceCheckEndpoint.Map(group);
        GetModelsEndpoint.Map(group);
        GetThemesEndpoint.Map(group);
        GetProductsEndpoint.Map(group);
        GetAppSettingsEndpoint.Map(group);
        GenerateVideoEndpoint.Map(group);
        group.MapVideoLibrary();
        group.MapCredits();
        group.MapAccounts();
        group.MapSessions();
        ConsentEndpoint.Map(group);
        GetConsentTermsEndpoint.Map(group);
        SetAgeBandEndpoint.Map(group);
        MergeGuestEndpoint.Map(group);
        group.MapAccountDeletion();
        UpdateCreditsEndpoint.Map(group);
        RedeemPromoCodeEndpoint.Map(group);
        AppStoreNotificationsEndpoint.Map(group);
        AppleAccountEventsEndpoint.Map(group);
        group.MapPush();
        ReportEndpoint.Map(group);
    }

    /// <summary>The same route under a second prefix may not carry the same name.</summary>
    private static void Unname(EndpointBuilder endpoint)
    {
        foreach (var name in endpoint.Metadata.Where(metadata => metadata is IEndpointNameMetadata or IRouteNameMetadata).ToList())
        {
            endpoint.Metadata.Remove(name);
        }
    }

    private static void AddHosted<T>(IServiceCollection services)
        where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}
