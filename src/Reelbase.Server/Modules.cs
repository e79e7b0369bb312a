using Reelbase.Server.Features.Accounts;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Ages;
using Reelbase.Server.Features.Alerts;
using Reelbase.Server.Features.AppSettings;
using Reelbase.Server.Features.Catalog;
using Reelbase.Server.Features.Cleanup;
using Reelbase.Server.Features.Credits;
using Reelbase.Server.Features.Devices;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.GenerateVideo;
using Reelbase.Server.Features.Import;
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
using Reelbase.Server.Features.Traces;
using Reelbase.Server.Features.VideoLibrary;
using Reelbase.Server.Integrations.Apple;
using Reelbase.Server.Integrations.Fal;
using Reelbase.Server.Integrations.Pika;
using Reelbase.Server.Integrations.Runway;
using Reelbase.Server.Integrations.S3;
using Reelbase.Server.Integrations.Telegram;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server;

/// <summary>
/// The modules of the program, one line each; a new feature adds its line. Background work starts in this order, role by role (<see cref="WorkerRegistry"/>);
/// where the order matters the line says why, the rest follows the alphabet.
/// </summary>
internal static class Modules
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IModule> All { get; } =
    [
        // Connections, change feed and error records are what everything else stands on.
        new PlatformModule(),
        // Which providers there are is known before anything is worked on.
        new ProvidersModule(),
        // A store that is not this installation's is found before anything works on files.
        new FilesModule(),
        // Jobs that a restored database may have submitted are dealt with first.
        new GenerateVideoModule(),
        new AccountsModule(),
        new AdminModule(),
        new AgesModule(),
        new AlertsModule(),
        new AppSettingsModule(),
        new CatalogModule(),
        new CleanupModule(),
        new CreditsModule(),
        new DevicesModule(),
        new ImportModule(),
        new LiveModule(),
        new ModerationModule(),
        new NodesModule(),
        new PromoCodesModule(),
        new ProviderCallbacksModule(),
        new PurchasesModule(),
        new PushModule(),
        new ReportsModule(),
        new SessionsModule(),
        new SignInModule(),
        new StatisticsModule(),
        new SupabaseModule(),
        new TracesModule(),
        new VideoLibraryModule(),
        new AppleModule(),
        new FalModule(),
        new PikaModule(),
        new RunwayModule(),
        new S3Module(),
        new TelegramModule(),
    ];
}
