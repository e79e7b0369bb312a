using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform.Work;

/// <summary>
/// The one loop of work that is done from time to time and claims no rows of its own. A round that fails, with whatever exception, is
/// logged and counted, and the next one follows after a growing pause: nothing that happens in a round ends the loop, or the process with it.
/// </summary>
public abstract class PeriodicWork(ILogger logger) : BackgroundService
{
    private const double FirstRetrySeconds = 0.5;
    private const double LongestRetrySeconds = 30;

    /// <summary>The pause between two rounds; zero for rounds that wait by themselves.</summary>
    protected abstract TimeSpan Pause { get; }

    /// <summary>Whether there is anything to do in this configuration.</summary>
    protected virtual bool IsOn => true;

    /// <summary>Whether the first round waits for its pause too.</summary>
    protected virtual bool BeginsWithPause => false;

    /// <summary>The pause for a change, when something may ask for a round before its time.</summary>
    protected virtual ChangeFeed.Subscription? Wake => null;

    /// <summary>One round.</summary>
    protected abstract Task RunOnceAsync(CancellationToken stoppingToken);

    /// <summary>A part of a round that may fail by itself, without the other parts' being left out.</summary>
    protected async Task TryAsync(string step, Func<Task> part, CancellationToken stoppingToken)
    {
        try
        {
            await part();
        }
        catch (Exception error) when (!stoppingToken.IsCancellationRequested)
        {
            WorkFailures.Note(logger, GetType().Name, step, error);
        }
    }

    /// <inheritdoc/>
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A round that never waits would hold up the start of the host.
        await Task.Yield();
        if (!IsOn)
        {
            return;
        }
        using var wake = Wake;
        var failures = 0;
        try
        {
            if (BeginsWithPause)
            {
                await Task.Delay(Pause, stoppingToken);
            }
            while (!stoppingToken.IsCancellationRequested)
            {
                var pause = Pause;
                try
                {
                    await RunOnceAsync(stoppingToken);
                    failures = 0;
                }
                catch (Exception error) when (!stoppingToken.IsCancellationRequested)
                {
                    WorkFailures.Note(logger, GetType().Name, "do its round", error);
                    var retry = TimeSpan.FromSeconds(Backoff.Seconds(++failures, FirstRetrySeconds, LongestRetrySeconds));
                    pause = retry > pause ? retry : pause;
                }
                await (wake is null || failures > 0 ? Task.Delay(pause, stoppingToken) : wake.WaitAsync(pause, stoppingToken));
            }
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops, and whatever the round was doing was broken off by that.
        }
    }
}
