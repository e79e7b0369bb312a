using System.Globalization;
using System.Text.Json;
using Npgsql;
using Reelbase.Server.Cli;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Features.Purchases;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Doctor;

/// <summary>What the database shows: its own state, the clocks, nodes, money, what waits.</summary>
internal static class DatabaseChecks
{
    private const double ClockWarningSeconds = 2;
    private const double ClockFaultSeconds = 30;
    private const double BackupDays = 1.5;
    private static readonly JsonSerializerOptions Names = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The setting that an operator checks when an outside system refuses or does not answer.</summary>
    private static readonly Dictionary<string, string> KeyOf = new()
    {
        ["device_check"] = "DeviceCheck:KeyId",
        ["app_store"] = "AppStore:KeyId",
        ["apple_sign_in"] = "AppleSignIn:ClientIds",
        ["push"] = "Apns:KeyId",
        ["storage"] = "Storage:Kind",
        ["scanner"] = "Storage:ScannerAddress",
        ["moderation"] = "Moderation:ServiceUrl",
        ["telegram"] = "Telegram:BotToken",
        ["alert_webhook"] = "Alerts:WebhookUrl",
        ["fal_keys"] = "Fal:JwksUrl",
    };

    /// <summary>Migrations and clocks, and everything else that the database knows; null when it is not migrated far enough to be asked.</summary>
    /// <param name="builder">The settings.</param>
    /// <param name="owner">Null where only the command line's role has an address: the owner's tables cannot be compared then.</param>
    /// <param name="findings">What is found is added here.</param>
    public static async Task<Facts?> ReadAsync(WebApplicationBuilder builder, string? owner, List<Finding> findings)
    {
        var options = Installation.DatabaseOptionsOf(builder);
        var migration = owner is null ? null : await CompareAsync(owner, options);
        findings.Add(
            migration is null
                ? Finding.Ok("database", "without the owner's address its migrations are not compared (migrate --dry-run does, with that address)")
            : migration.Older is { } older ? Finding.Fault("database", null, $"{older}: this program is older than the database", "use the newer program")
            : migration.Files.Count > 0
                ? Finding.Fault(
                    "database",
                    null,
                    $"{migration.Files.Count} SQL files of this program are not applied, first {migration.Files[0]}",
                    "./reelbase migrate"
                )
            : Finding.Ok("database", "every migration is applied")
        );
        await using var database = new AdminDatabase(
            owner is null
                ? ConnectionStrings.From(options, null)
                : ConnectionStrings.From(
                    new() { ConnectTimeoutSeconds = options.ConnectTimeoutSeconds, CommandTimeoutSeconds = options.CommandTimeoutSeconds },
                    owner
                )
        );
        var before = DateTime.UtcNow;
        Facts facts;
        try
        {
            facts = JsonSerializer.Deserialize<Facts>((await database.ScalarAsync<string>("select doctor_facts()::text", CancellationToken.None))!, Names)!;
        }
        catch (PostgresException) when (migration is { Files.Count: > 0 })
        {
            // Said already: a database that is not migrated far enough cannot be asked.
            return null;
        }
        findings.Add(ExamineClock(before, DateTime.UtcNow, facts.Now.ToUniversalTime()));
        return facts;
    }

    private static async Task<MigrationResult> CompareAsync(string owner, DatabaseOptions options)
    {
        using var silent = LoggerFactory.Create(_ => { });
        return await new Migrator(owner, silent.CreateLogger("doctor")) { KeptRoles = RolePasswords.KeptByOperator(options) }.RunAsync(
            dryRun: true,
            CancellationToken.None
        );
    }

    /// <summary>Ours must lie within what the question took.</summary>
    internal static Finding ExamineClock(DateTime before, DateTime after, DateTime theirs)
    {
        var off =
            theirs < before ? (before - theirs).TotalSeconds
            : theirs > after ? (theirs - after).TotalSeconds
            : 0;
        return off < ClockWarningSeconds
            ? Finding.Ok("clocks", "this machine and the database agree")
            : new(
                off < ClockFaultSeconds ? Level.Warning : Level.Fault,
                "clocks",
                string.Create(CultureInfo.InvariantCulture, $"this machine's clock is {off:0} s {(theirs < before ? "ahead of" : "behind")} the database's"),
                null,
                "set the time of both (NTP): tokens, leases and Apple's keys go by it"
            );
    }

    /// <summary>What the facts say, with what the settings expect.</summary>
    public static IEnumerable<Finding> Examine(WebApplicationBuilder builder, Facts facts) =>
        [.. Machines(facts), .. Outside(facts), .. Waiting(builder, facts), .. Caps(builder, facts), .. Money(facts), Backups(builder, facts)];

    private static IEnumerable<Finding> Machines(Facts facts)
    {
        if (facts.IsReadOnly)
        {
            yield return Finding.Fault("database", "Database:ConnectionString", "the database takes no writes", "name the primary");
        }
        var alive = facts.Nodes.Where(node => node.IsAlive).ToList();
        var others = alive.Where(node => node.Schema != ProgramVersion.Schema || node.CommitId != ProgramVersion.Commit).Select(node => node.Name).ToList();
        yield return alive.Count == 0 ? Finding.Warning("nodes", null, "no node has said in two minutes that it lives", "start the server")
        : others.Count > 0
            ? Finding.Warning("nodes", null, $"{string.Join(", ", others)}: another program than this one ({ProgramVersion.Line})", "finish the roll")
        : Finding.Ok("nodes", $"{alive.Count} alive, all of this program");
        foreach (var node in alive.Where(node => node.UntrustedPeer is not null))
        {
            yield return Finding.Fault(
                "proxies",
                "Server:TrustedProxies",
                $"{node.UntrustedPeer} forwards to {node.Name} and is not trusted: https looks like http, and all callers share one address and its limits",
                $"if it is your proxy, set Server:TrustedProxies:0={node.UntrustedPeer} and restart"
            );
        }
    }

    private static IEnumerable<Finding> Outside(Facts facts)
    {
        foreach (var one in facts.OutsideSystems.OrderBy(one => one.System, StringComparer.Ordinal))
        {
            var key = KeyOf.GetValueOrDefault(one.System) ?? $"{char.ToUpperInvariant(one.System[0])}{one.System[1..]}:ApiKey";
            var isRefused = one.LastFailure is "answered 401" or "answered 403";
            yield return one.LastFailureAt is { } failed && failed > (one.LastSuccessAt ?? DateTime.MinValue)
                ? new(
                    isRefused ? Level.Fault : Level.Warning,
                    "outside",
                    $"{one.System} failed at {failed:u} ({one.LastFailure}); it last answered {one.LastSuccessAt?.ToString("u", CultureInfo.InvariantCulture) ?? "never"}",
                    key,
                    isRefused ? "it refuses our key: compare the key, its id and the team" : "wait, or see whether this machine reaches it"
                )
                : Finding.Ok("outside", $"{one.System} answered at {one.LastSuccessAt:u}");
        }
        foreach (var provider in facts.Outages)
        {
            yield return Finding.Warning("outside", null, $"{provider} is failing: jobs for it wait", "docs/runbooks/providers.md");
        }
    }

    private static IEnumerable<Finding> Waiting(WebApplicationBuilder builder, Facts facts)
    {
        yield return facts.AlertsPending > 0
            ? Finding.Warning(
                "alerts",
                "Telegram:BotToken",
                $"{facts.AlertsPending} alerts have been waiting for ten minutes and more",
                "see outside: telegram, alert_webhook"
            )
            : Finding.Ok("alerts", "none waits");
        yield return facts.DeadWork > 0
            ? Finding.Warning("work", null, $"{facts.DeadWork} messages were given up", "look at them on the console's System page")
            : Finding.Ok("work", "nothing was given up");
        var deadline = SettingChecks.Of<GenerationOptions>(builder, "Generation").QueueDeadlineSeconds;
        foreach (var queue in facts.Queues.Where(queue => queue.Seconds > deadline / 2.0))
        {
            yield return Finding.Fault(
                "queue",
                $"{char.ToUpperInvariant(queue.Provider[0])}{queue.Provider[1..]}:Concurrency",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{queue.Jobs} jobs wait for {queue.Provider}, the oldest for {queue.Seconds:0} s of the {deadline} s after which it expires"
                ),
                "docs/runbooks/jobs.md"
            );
        }
    }

    /// <summary>A cap below what a product gives refuses an honest purchase, or the refund of it.</summary>
    private static IEnumerable<Finding> Caps(WebApplicationBuilder builder, Facts facts)
    {
        if (facts.Products.MaxBy(product => product.Credits) is not { } largest)
        {
            yield return Finding.Warning("caps", null, "no product is active: nothing can be bought", "enter products in the console");
            yield break;
        }
        var purchases = SettingChecks.Of<PurchasesOptions>(builder, "Purchases");
        var admin = SettingChecks.Of<AdminOptions>(builder, "Admin");
        var tight = new (string Key, int? Cap, string What)[]
        {
            ("Purchases:SandboxCreditsPerUser", purchases.SandboxCreditsPerUser, "App Review's purchase of it gives nothing"),
            ("Purchases:SandboxCreditsPerDay", purchases.SandboxCreditsPerDay, "App Review's purchase of it gives nothing"),
            ("Admin:MaxCredits", admin.MaxCredits, "nobody can give it back in one action"),
        }
            .Where(cap => cap.Cap < largest.Credits)
            .ToList();
        foreach (var (key, cap, what) in tight)
        {
            yield return Finding.Fault(
                "caps",
                key,
                $"{cap} is less than the {largest.Credits} credits of {largest.ProductId}: {what}",
                $"raise it to {largest.Credits} at least"
            );
        }
        if (tight.Count == 0)
        {
            yield return Finding.Ok("caps", $"they leave room for the largest product ({largest.ProductId}, {largest.Credits} credits)");
        }
    }

    private static IEnumerable<Finding> Money(Facts facts)
    {
        if (facts.Unowned > 0)
        {
            yield return Finding.Warning("money", null, $"{facts.Unowned} purchases have no owner", "assign them in the console (Products and purchases)");
        }
        if (facts.Negative > 0)
        {
            yield return Finding.Warning("money", null, $"{facts.Negative} users have a balance below zero", "docs/runbooks/credits.md");
        }
        if (facts.LedgerReport is { } report)
        {
            yield return Finding.Fault("money", null, $"the last check of the ledger found {report}", "docs/runbooks/credits.md");
        }
    }

    private static Finding Backups(WebApplicationBuilder builder, Facts facts)
    {
        const string Remedy = "admin backup DIR each night, or Database:WalArchiveDirectory (docs/runbooks/restore.md)";
        if (facts.ArchiveFailedAt is { } failed && failed > (facts.ArchivedAt ?? DateTime.MinValue))
        {
            return Finding.Fault(
                "backups",
                "Database:WalArchiveDirectory",
                $"archiving has failed since {failed:u}",
                "see whether the archive's disk is full or gone"
            );
        }
        if (facts.BackedUpAt is not { } last)
        {
            return facts.IsArchiving && Installation.DatabaseOptionsOf(builder).ConnectionString is { Length: > 0 }
                ? Finding.Ok("backups", "the database archives its log; whether there is a base backup its own tools know")
                : Finding.Warning("backups", "Database:WalArchiveDirectory", "no backup is known", Remedy);
        }
        var days = (facts.Now - last).TotalDays;
        return days > BackupDays
            ? Finding.Warning("backups", null, string.Create(CultureInfo.InvariantCulture, $"the last backup is {days:0.0} days old"), Remedy)
            : Finding.Ok("backups", $"the last one was made at {last:u}");
    }
}
