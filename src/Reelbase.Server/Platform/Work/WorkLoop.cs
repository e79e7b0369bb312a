using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform.Work;

/// <summary>
/// The one loop of durable work: claim rows (a SQL function that leases them), let go of the transaction, do what has to be
/// done outside, record the result (another function that checks the claim). A signal wakes it, polling makes
/// sure, and what a dead worker held is claimed again when its lease runs out.
/// </summary>
public abstract class WorkLoop<TItem>(ChangeFeed feed, IOptions<WorkOptions> options, ILogger logger) : BackgroundService
    where TItem : class, IClaimed
{
    private const string OnlyKind = "";
    private const double LongestRetrySeconds = 30;

    /// <summary>Items under way and the kind of place that each holds.</summary>
    private readonly ConcurrentDictionary<TItem, string> _running = new(ReferenceEqualityComparer.Instance);
    private Bulkheads? _places;

    /// <summary>The topic that wakes this loop.</summary>
    protected abstract string Topic { get; }

    /// <summary>The length of a lease.</summary>
    protected int LeaseSeconds => options.Value.LeaseSeconds;

    /// <summary>Items that a kind of work has places for, unless it says otherwise.</summary>
    protected int MaxConcurrent => options.Value.MaxConcurrent;

    /// <summary>Claims of one row without a result after which it is given up, for tables without a limit of their own.</summary>
    protected int MaxAttempts => options.Value.MaxAttempts;

    /// <summary>The places for items, by kind of work.</summary>
    protected Bulkheads Places => _places ??= new(Limits);

    /// <summary>Kinds of work that must not hold each other up, and how many items of each may run at once.</summary>
    protected virtual IReadOnlyDictionary<string, int> Limits => new Dictionary<string, int> { [OnlyKind] = MaxConcurrent };

    /// <summary>The kind of work that an item is.</summary>
    protected virtual string KindOf(TItem item) => OnlyKind;

    /// <summary>Leases up to <paramref name="limit"/> rows that are due, in the name of <paramref name="claimToken"/>.</summary>
    protected abstract Task<List<TItem>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken);

    /// <summary>Does the work of one row and records its result in the name of the row's claim token.</summary>
    protected abstract Task HandleAsync(TItem item, CancellationToken cancellationToken);

    /// <summary>Prolongs the lease while the work goes on; false when it was lost, and the work is then broken off.</summary>
    protected virtual Task<bool> RenewAsync(TItem item, CancellationToken cancellationToken) => Task.FromResult(true);

    /// <summary>Gives a row back whose work failed, with what is known of the reason; by default its lease runs out.</summary>
    protected virtual Task GiveBackAsync(TItem item, string reason) => Task.CompletedTask;

    /// <summary>Lets an item that goes on with another kind of work take a place of that kind; false when none is free.</summary>
    protected bool TryMove(TItem item, string kind)
    {
        if (!_running.TryGetValue(item, out var from) || !Places.TryMove(from, kind))
        {
            return false;
        }
        _running[item] = kind;
        return true;
    }

    /// <inheritdoc/>
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var wake = feed.Subscribe(Topic);
        // Work that has begun may end in its own time when the server stops; only then it is broken off.
        using var breakOff = new CancellationTokenSource();
        var idle = TimeSpan.FromMilliseconds(options.Value.IdleMilliseconds);
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var claimed = await ClaimAndStartAsync(breakOff.Token, stoppingToken);
                failures = 0;
                if (claimed == 0 || Places.TotalAvailable == 0)
                {
                    await wake.WaitAsync(idle, stoppingToken);
                }
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error)
            {
                // A loop that ended would take the whole server with it; the next claim may well succeed.
                WorkFailures.Note(logger, GetType().Name, "claim work", error);
                var pause = Backoff.Seconds(++failures, idle.TotalSeconds, Math.Max(idle.TotalSeconds, LongestRetrySeconds));
                await Task.Delay(TimeSpan.FromSeconds(pause), stoppingToken).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
        for (var waited = 0; waited < options.Value.DrainSeconds * 20 && !_running.IsEmpty; waited++)
        {
            await Task.Delay(50, CancellationToken.None);
        }
        await breakOff.CancelAsync();
    }

    private async Task<int> ClaimAndStartAsync(CancellationToken breakOff, CancellationToken stoppingToken)
    {
        var room = Places.TotalAvailable;
        if (room == 0)
        {
            return 0;
        }
        var claimToken = ClaimToken.New();
        // Taken before the call: the lease began after it.
        var leasedAt = Stopwatch.GetTimestamp();
        var items = await ClaimAsync(claimToken, room, stoppingToken);
        foreach (var item in items)
        {
            item.ClaimToken = claimToken;
            var kind = KindOf(item);
            Places.Take(kind);
            _running[item] = kind;
            _ = RunAsync(item, leasedAt, breakOff);
        }
        return items.Count;
    }

    private async Task RunAsync(TItem item, long leasedAt, CancellationToken breakOff)
    {
        await Task.Yield();
        using var span = Telemetry.Trace.Begin(GetType().Name, item);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(breakOff);
        var renewing = RenewWhileRunningAsync(item, leasedAt, stop);
        try
        {
            await HandleAsync(item, stop.Token);
        }
        catch (Exception error) when (error is OperationCanceledException && stop.IsCancellationRequested)
        {
            logger.LogInformation("{Loop} broke off; the lease will run out and the work is claimed again", GetType().Name);
        }
        catch (Exception error)
        {
            await FailAsync(item, error);
        }
        finally
        {
            await stop.CancelAsync();
            await renewing;
            if (_running.TryRemove(item, out var kind))
            {
                Places.Release(kind);
            }
            feed.PublishLocally(Topic);
        }
    }

    /// <summary>Its claim has moved the row on and counted the attempt, so nothing spins; the row comes back until its attempts are used up.</summary>
    private async Task FailAsync(TItem item, Exception error)
    {
        WorkFailures.Note(logger, GetType().Name, "handle an item", error);
        try
        {
            // The type alone: a message may carry what no table should keep.
            await GiveBackAsync(item, $"its handling failed: {error.GetType().Name}");
        }
        catch (Exception away)
        {
            logger.LogWarning("{Loop} could not give a row back ({Reason}); its lease runs out", GetType().Name, away.Message);
        }
    }

    /// <summary>
    /// Renews at a third of the lease. An error of the database ends nothing while the lease still holds: the call is repeated until it is
    /// surely over, and only then, or when the row is known to be another claim's, the work is broken off.
    /// </summary>
    private async Task RenewWhileRunningAsync(TItem item, long leasedAt, CancellationTokenSource stop)
    {
        var lease = TimeSpan.FromSeconds(LeaseSeconds);
        var pause = lease / 3;
        var heldSince = leasedAt;
        try
        {
            while (true)
            {
                await Task.Delay(pause, stop.Token);
                var asked = Stopwatch.GetTimestamp();
                try
                {
                    using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
                    limit.CancelAfter(lease / 3);
                    if (!await RenewAsync(item, limit.Token))
                    {
                        await stop.CancelAsync();
                        return;
                    }
                    heldSince = asked;
                    pause = lease / 3;
                }
                catch (Exception error) when (!stop.IsCancellationRequested)
                {
                    WorkFailures.Note(logger, GetType().Name, "renew a lease", error);
                    pause = lease / 12;
                }
                if (Stopwatch.GetElapsedTime(heldSince) >= lease)
                {
                    logger.LogWarning("{Loop} lost a lease because it could not be renewed in time; its work is broken off", GetType().Name);
                    await stop.CancelAsync();
                    return;
                }
            }
        }
        catch (Exception error) when (stop.IsCancellationRequested || error is ObjectDisposedException)
        {
            // The work is over.
        }
    }
}
