namespace Reelbase.Tests.Support;

/// <summary>
/// What a test has planted where another test could meet it: an outage, a fault, other settings of a shared server. It ends with the test, <c>await using</c>, whatever
/// becomes of that one, and whatever was or was not used up of it.
/// </summary>
public sealed class Planted(Func<Task> end) : IAsyncDisposable
{
    private Func<Task>? _end = end;

    /// <summary>Ends it before the test does.</summary>
    public Task EndAsync() => Interlocked.Exchange(ref _end, null)?.Invoke() ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await EndAsync();
}
