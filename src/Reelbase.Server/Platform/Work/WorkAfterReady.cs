namespace Reelbase.Server.Platform.Work;

/// <summary>
/// Begins the background work that no request waits for, in its order, once the node listens and has said that it is ready: compiling it was an eighth of the CPU
/// of a start. All of it stops at once, as the host stops all else, so that each has the whole time to drain.
/// </summary>
/// <param name="inOrder">The work, made when it begins.</param>
public sealed class WorkAfterReady(
    IReadOnlyList<Func<IHostedService>> inOrder,
    NodeReady ready,
    IHostApplicationLifetime lifetime,
    ILogger<WorkAfterReady> logger
) : BackgroundService
{
    /// <summary>A node that nobody asks whether it is ready begins its work after this time.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly List<IHostedService> _begun = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await BeginAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception) when (!stoppingToken.IsCancellationRequested)
        {
            ready.NoteFailure();
            throw;
        }
    }

    private async Task BeginAsync(CancellationToken stoppingToken)
    {
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var started = lifetime.ApplicationStarted.Register(listening.SetResult);
        await listening.Task.WaitAsync(stoppingToken);
        await ready.WaitAsync(LongestWait, stoppingToken);
        foreach (var make in inOrder)
        {
            stoppingToken.ThrowIfCancellationRequested();
            var work = make();
            _begun.Add(work);
            // Ended by its own StopAsync, which waits until it has drained.
            await work.StartAsync(CancellationToken.None);
        }
        // One that fails ends the host, as it would if the host had begun it.
        await foreach (var ended in Task.WhenEach(_begun.OfType<BackgroundService>().Select(work => work.ExecuteTask!)).WithCancellation(stoppingToken))
        {
            await ended;
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(Enumerable.Reverse(_begun).Select(work => StopAsync(work, cancellationToken)));
    }

    private async Task StopAsync(IHostedService work, CancellationToken cancellationToken)
    {
        try
        {
            await work.StopAsync(cancellationToken);
        }
        catch (Exception error)
        {
            logger.LogWarning(error, "{Work} could not be stopped in order", work.GetType().Name);
        }
    }
}
