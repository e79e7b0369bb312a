using Reelbase.Server.Features.Accounts;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Catalog;
using Reelbase.Server.Features.Credits;
using Reelbase.Server.Features.Devices;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Inbox;
using Reelbase.Server.Features.Jobs;
using Reelbase.Server.Features.Moderation;
using Reelbase.Server.Features.Notifications;
using Reelbase.Server.Features.Operations;
using Reelbase.Server.Features.Purchases;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Features.Supabase;
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
        // A store that is not this installation's is found before anything works on files.
        new FilesModule(),
        // Which providers there are is known, and jobs that a restored database may have submitted are dealt with, before anything is worked on.
        new JobsModule(),
        new AccountsModule(),
        new AdminModule(),
        new CatalogModule(),
        new CreditsModule(),
        new DevicesModule(),
        new InboxModule(),
        new ModerationModule(),
        new NotificationsModule(),
        new OperationsModule(),
        new PurchasesModule(),
        new SessionsModule(),
        new SupabaseModule(),
        new AppleModule(),
        new FalModule(),
        new PikaModule(),
        new RunwayModule(),
        new S3Module(),
        new TelegramModule(),
    ];
}
