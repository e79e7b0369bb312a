using System.Collections.Frozen;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Catalog.AppSettings;

/// <summary>
/// The limits that operators change while everything runs. This node reads them before it serves, whenever an admin changed anything on
/// any node, and from time to time; while the database is away it goes on with what it read last.
/// </summary>
public sealed class ServerLimits(WorkerDatabase database, ChangeFeed feed, ILogger<ServerLimits> logger) : PeriodicWork(logger), IBeforeReady
{
    private volatile FrozenDictionary<string, int> _changed = FrozenDictionary<string, int>.Empty;

    /// <summary>A limit as operators have set it, else as this node's configuration says.</summary>
    /// <param name="name">Its name in the configuration, one of <c>app_setting_limits()</c>.</param>
    /// <param name="configured">What the configuration says.</param>
    public int Of(string name, int configured) => _changed.GetValueOrDefault(name, configured);

    /// <summary>The same for a limit of which a negative value means that there is none.</summary>
    public int? OrNone(string name, int configured) => Of(name, configured) is var value && value < 0 ? null : value;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override ChangeFeed.Subscription? Wake => feed.Subscribe(AdminApi.Topic);

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // A database that is away now is asked again by the loop; until then the configuration holds.
        await TryAsync("read the limits", () => RunOnceAsync(cancellationToken), cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken) =>
        _changed = (await database.ListAsync<ChangedLimit>("select key, value from read_server_limits()", stoppingToken)).ToFrozenDictionary(
            limit => limit.Key,
            limit => limit.Value,
            StringComparer.Ordinal
        );

    private sealed record ChangedLimit(string Key, int Value);
}
