namespace Reelbase.Server.Platform.Http;

/// <summary>One question for everybody who wants to know: asked once at a time, and its answer, good or bad, is good for a while.</summary>
/// <param name="goodFor">How long after it was asked.</param>
public sealed class SharedResponse<T>(TimeSpan goodFor, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private Task<(long AskedAt, T Response)>? _latest;

    /// <summary>The latest answer while it is good, else a new one.</summary>
    /// <param name="ask">Asks, and says with its answer as of when it holds.</param>
    public async Task<T> GetAsync(Func<Task<(long AskedAt, T Response)>> ask)
    {
        Task<(long AskedAt, T Response)> task;
        lock (_gate)
        {
            if (_latest is not { } latest || (latest.IsCompleted && !IsGood(latest)))
            {
                _latest = Task.Run(ask);
            }
            task = _latest;
        }
        return (await task).Response;
    }

    private bool IsGood(Task<(long AskedAt, T Response)> task) => task.IsCompletedSuccessfully && clock.GetElapsedTime(task.Result.AskedAt) < goodFor;
}
