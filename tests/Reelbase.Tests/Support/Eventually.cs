using System.Diagnostics;

namespace Reelbase.Tests.Support;

/// <summary>
/// The bounds of every wait in the tests, in one place. None is an expectation: on an idle machine nothing takes this long, and only a failure does. A test waits for a
/// signal or for a condition; whatever it measures stays right when the whole process stands still for ten seconds.
/// </summary>
public static class Patience
{
    /// <summary>How long a test waits for a busy machine.</summary>
    public const double Seconds = 120;

    /// <summary>The same, as most waits take it.</summary>
    public static TimeSpan Span { get; } = TimeSpan.FromSeconds(Seconds);

    /// <summary>The same, as browsers take it.</summary>
    public const int Milliseconds = (int)(Seconds * 1000);

    /// <summary>A time that a server of a test gets for what it does not have to wait for: an answer from the same machine that is merely late must not count as lost.</summary>
    public const string ServerSeconds = "30";

    /// <summary>A deadline that no job of a test meets, unless the test is about the deadline and sets its own.</summary>
    public const string NoDeadlineSeconds = "3600";

    /// <summary>Ends what a wait holds when its patience is over.</summary>
    public static CancellationTokenSource Limit() => new(Span);
}

/// <summary>For what gives no signal: polls until it is so, and fails when it does not come to be.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <param name="poll">What is asked.</param>
    /// <param name="isSo">What ends the wait.</param>
    /// <param name="maxSeconds">More patience than usual; never less.</param>
    public static async Task<T> IsAsync<T>(Func<Task<T>> poll, Func<T, bool> isSo, double maxSeconds = Patience.Seconds)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            // Taken before the question: a process that stood still meanwhile asks once more.
            var isOver = watch.Elapsed.TotalSeconds > Math.Max(maxSeconds, Patience.Seconds);
            var seen = await poll();
            if (isSo(seen))
            {
                return seen;
            }
            Assert.False(isOver, $"still not so after {watch.Elapsed.TotalSeconds:0} s; last seen: {seen}");
            await Task.Delay(Pause);
        }
    }
}
