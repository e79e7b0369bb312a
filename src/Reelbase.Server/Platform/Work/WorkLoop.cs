using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Telemetry;

namespace Reelbase.Server.Platform.Work;

/// <summary>
/// The one loop of durable work: claim rows (a SQL function that leases them), let go of the transaction, do what has to be
/// done outside, record the result (another function that checks the lease). A signal wakes it, looking again by itself
/// makes sure, and what a dead worker held is claimed again when its lease runs out.
/// </summary>
public abstract class WorkLoop<TItem>(ChangeFeed feed, IOptions<WorkOptions> options, ILogger logger) : BackgroundService
    where TItem : class, IClaimed
{
    private int _running;

    /// <summary>The topic that wakes this loop.</summary>
    protected abstract string Topic { get; }

    /// <summary>The length of a lease.</summary>
    protected int LeaseSeconds => options.Value.LeaseSeconds;

    /// <summary>Leases up to <paramref name="limit"/> rows that are due, in the name of <paramref name="claimToken"/>.</summary>
    protected abstract Task<List<TItem>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken);

    /// <summary>Does the work of one row and records its result in the name of the row's claim token.</summary>
    protected abstract Task HandleAsync(TItem item, CancellationToken cancellationToken);

    /// <summary>Prolongs the lease while the work goes on; false when it was lost, and the work is then broken off.</summary>
    protected virtual Task<bool> RenewAsync(TItem item, CancellationToken cancellationToken) => Task.FromResult(true);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var wake = feed.Subscribe(Topic);
        // Work that has begun may end in its own time when the server stops; only then it is broken off.
        using var breakOff = new CancellationTokenSource();
        var idle = TimeSpan.FromMilliseconds(options.Value.IdleMilliseconds);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var room = options.Value.MaxConcurrent - Volatile.Read(ref _running);
                var claimToken = ClaimToken.New();
                var items = room > 0 ? await ClaimAsync(claimToken, room, stoppingToken) : [];
                foreach (var item in items)
                {
                    item.ClaimToken = claimToken;
                    Interlocked.Increment(ref _running);
                    _ = RunAsync(item, breakOff.Token);
                }
                if (items.Count == 0 || items.Count == room)
                {
                    await wake.WaitAsync(idle, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error)
            {
                // A loop that ended would take the whole server with it; the next look may well succeed.
                logger.LogWarning("{Loop} could not look for work ({Reason}); trying again", GetType().Name, error.Message);
                await Task.Delay(idle, CancellationToken.None);
            }
        }
        for (var waited = 0; waited < options.Value.DrainSeconds * 20 && Volatile.Read(ref _running) > 0; waited++)
        {
            await Task.Delay(50, CancellationToken.None);
        }
        await breakOff.CancelAsync();
    }

    private async Task RunAsync(TItem item, CancellationToken breakOff)
    {
        using var span = Trace.Begin(GetType().Name, item);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(breakOff);
        var renewing = RenewWhileRunningAsync(item, stop);
        try
        {
            await HandleAsync(item, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            logger.LogInformation("{Loop} broke off; the lease will run out and the work is claimed again", GetType().Name);
        }
        catch (Exception error)
        {
            // The row keeps its lease and comes back when it runs out; nothing is lost and nothing spins.
            logger.LogError(error, "{Loop} failed on an item; it comes back when its lease runs out", GetType().Name);
        }
        finally
        {
            await stop.CancelAsync();
            await renewing;
            Interlocked.Decrement(ref _running);
            feed.PublishLocally(Topic);
        }
    }

    private async Task RenewWhileRunningAsync(TItem item, CancellationTokenSource stop)
    {
        try
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(Math.Max(1, LeaseSeconds / 3.0)));
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                if (!await RenewAsync(item, stop.Token))
                {
                    await stop.CancelAsync();
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or NpgsqlException or ObjectDisposedException)
        {
            // The work is over, or the database is away: then the record of the result will say whose row it is.
        }
    }
}
