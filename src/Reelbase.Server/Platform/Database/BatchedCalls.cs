namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Puts what many requests ask into one statement at a time: whatever is asked while one is collected or is under way goes together in the next. For
/// answers that nobody is in a hurry for, so that a crowd costs the database a statement now and then, and one connection.
/// </summary>
/// <param name="callAsync">Asks for all of them; the answers are in the order of the questions.</param>
/// <param name="maxWaiting">Questions that wait at a time; more are not taken.</param>
public sealed class BatchedCalls<TQuestion, TResponse>(Func<IReadOnlyList<TQuestion>, Task<IReadOnlyList<TResponse>>> callAsync, int maxWaiting)
{
    private const int MaxPerCall = 500;
    private static readonly TimeSpan BatchWindow = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = new();
    private bool _isRunning;
    private long _calls;

    /// <summary>Statements that were asked for so far.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>The answer, or null when too many wait already.</summary>
    public Task<TResponse>? TryAsk(TQuestion question)
    {
        var one = new Waiting(question);
        lock (_lock)
        {
            if (_waiting.Count >= maxWaiting)
            {
                return null;
            }
            _waiting.Enqueue(one);
            if (!_isRunning)
            {
                _isRunning = true;
                _ = Task.Run(RunAsync);
            }
        }
        return one.Response.Task;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(BatchWindow);
            var some = new List<Waiting>();
            lock (_lock)
            {
                while (some.Count < MaxPerCall && _waiting.TryDequeue(out var one))
                {
                    some.Add(one);
                }
                if (some.Count == 0)
                {
                    _isRunning = false;
                    return;
                }
            }
            try
            {
                Interlocked.Increment(ref _calls);
                var answers = await callAsync(some.ConvertAll(one => one.Question));
                for (var at = 0; at < some.Count; at++)
                {
                    some[at].Response.SetResult(answers[at]);
                }
            }
            catch (Exception error)
            {
                some.ForEach(one => one.Response.TrySetException(error));
            }
        }
    }

    private sealed class Waiting(TQuestion question)
    {
        public TQuestion Question { get; } = question;

        public TaskCompletionSource<TResponse> Response { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
