using System.Diagnostics;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Puts what is asked while statements are under way together into the next one. Whoever comes alone waits for nobody; in a crowd each statement carries what has come meanwhile, so that
/// the crowd costs the database a few connections and a part of the round trips.
/// </summary>
/// <param name="callAsync">Asks for all of them, and is not asked again; the answers are in the order of the questions.</param>
/// <param name="maxUnderWay">Statements that are under way at a time.</param>
/// <param name="maxWaiting">Questions that wait at a time; more are not taken.</param>
public sealed class GroupedCalls<TQuestion, TResponse>(
    Func<IReadOnlyList<TQuestion>, Task<IReadOnlyList<TResponse>>> callAsync,
    int maxUnderWay,
    int maxWaiting
)
{
    /// <summary>Questions of one statement.</summary>
    internal const int MaxPerCall = 64;

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = new();
    private int _underWay;

    /// <summary>The answer, or null when too many wait already.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="cancellationToken">The asker's: they wait no longer, and the statement goes on, since others may be in it.</param>
    public Task<TResponse>? TryAsk(TQuestion question, CancellationToken cancellationToken)
    {
        var one = new Waiting(question, cancellationToken);
        lock (_lock)
        {
            if (_underWay == maxUnderWay)
            {
                while (_waiting.Count >= maxWaiting)
                {
                    if (!_waiting.Peek().HasLeft)
                    {
                        return null;
                    }
                    _waiting.Dequeue();
                }
                _waiting.Enqueue(one);
                return one.Response.Task.WaitAsync(cancellationToken);
            }
            _underWay++;
        }
        _ = RunAsync([one]);
        return one.Response.Task.WaitAsync(cancellationToken);
    }

    /// <summary>The first statement belongs to the request that asks; those after it to none, and its trace and log scopes must not go on in them.</summary>
    private async Task RunAsync(List<Waiting> some)
    {
        await CallAsync(some);
        if (TakeNext() is { Count: > 0 } next)
        {
            using (ExecutionContext.SuppressFlow())
            {
                _ = Task.Run(() => GoOnAsync(next));
            }
        }
    }

    private async Task GoOnAsync(List<Waiting> some)
    {
        for (; some.Count > 0; some = TakeNext())
        {
            await CallAsync(some);
        }
    }

    /// <summary>What has come meanwhile; nothing: the place is free.</summary>
    private List<Waiting> TakeNext()
    {
        lock (_lock)
        {
            var some = new List<Waiting>(Math.Min(_waiting.Count, MaxPerCall));
            while (some.Count < MaxPerCall && _waiting.TryDequeue(out var one))
            {
                if (!one.HasLeft)
                {
                    some.Add(one);
                }
            }
            _underWay -= some.Count == 0 ? 1 : 0;
            return some;
        }
    }

    private async Task CallAsync(List<Waiting> some)
    {
        try
        {
            var answers = await callAsync(some.ConvertAll(one => one.Question));
            Debug.Assert(answers.Count == some.Count, "an answer for each question");
            for (var at = 0; at < some.Count; at++)
            {
                some[at].Response.SetResult(answers[at]);
            }
        }
        catch (Exception error) when (some.Count > 1 && IsOfOne(error))
        {
            foreach (var one in some)
            {
                await CallAsync([one]);
            }
        }
        catch (Exception error)
        {
            foreach (var one in some)
            {
                one.Response.TrySetException(error);
                // Whoever has left does not see it, which is no fault of the process.
                _ = one.Response.Task.Exception;
            }
        }
    }

    /// <summary>Whether a question or its answer is at fault, and not the way to the database or its state, which would fail for each of them.</summary>
    private static bool IsOfOne(Exception error) =>
        error switch
        {
            PostgresException postgres => !postgres.IsTransient && !postgres.SqlState.StartsWith("57", StringComparison.Ordinal),
            NpgsqlException or TimeoutException or OperationCanceledException or IOException => false,
            _ => true,
        };

    private sealed class Waiting(TQuestion question, CancellationToken left)
    {
        public bool HasLeft => left.IsCancellationRequested;

        public TQuestion Question { get; } = question;

        public TaskCompletionSource<TResponse> Response { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
