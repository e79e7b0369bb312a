using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Devices;

/// <summary>Finishes the grants that no request is waiting for any more: Apple was away, the line was long, a process died.</summary>
public sealed class DeviceGrantWorker(
    WorkerDatabase database,
    DeviceCheckClient apple,
    ChangeFeed feed,
    IOptions<DevicesOptions> options,
    IOptions<WorkOptions> work,
    ILogger<DeviceGrantWorker> logger
) : BackgroundService
{
    /// <summary>Wakes the worker when a request leaves a grant behind.</summary>
    public const string Topic = "work:device_grants";

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var grants = new DeviceGrants(database, apple, options, $"worker/{Environment.ProcessId}", logger);
        using var wake = feed.Subscribe(Topic);
        var idle = TimeSpan.FromMilliseconds(work.Value.IdleMilliseconds);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // A turn that has begun is carried through; breaking it off would only make it wait for its lease.
                if (await grants.TakeTurnAsync(null, CancellationToken.None) is null)
                {
                    await wake.WaitAsync(idle, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is NpgsqlException or TimeoutException)
            {
                logger.LogWarning("Grants could not be looked at ({Reason}); trying again", error.Message);
                await Task.Delay(idle, CancellationToken.None);
            }
        }
    }
}
