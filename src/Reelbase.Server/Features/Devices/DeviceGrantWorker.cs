using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Devices;

/// <summary>Finishes the grants that no request is waiting for any more: Apple was away, the queue was long, a process died.</summary>
public sealed class DeviceGrantWorker(
    WorkerDatabase database,
    DeviceCheckClient apple,
    ChangeFeed feed,
    IOptions<DevicesOptions> options,
    IOptions<WorkOptions> work,
    ILogger<DeviceGrantWorker> logger
) : PeriodicWork(logger)
{
    /// <summary>Wakes the worker when a request leaves a grant behind.</summary>
    public const string Topic = "work:device_grants";

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromMilliseconds(work.Value.IdleMilliseconds);

    /// <inheritdoc/>
    protected override ChangeFeed.Subscription? Wake => feed.Subscribe(Topic);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var grants = new DeviceGrants(database, apple, options, $"worker/{Environment.ProcessId}", logger);
        // A turn that has begun is carried through; breaking it off would only make it wait for its lease.
        while (!stoppingToken.IsCancellationRequested && await grants.TakeTurnAsync(null, CancellationToken.None) is not null) { }
    }
}
