namespace Reelbase.Server.Platform.Work;

/// <summary>Whether this node has said that it is ready, once. That it is not ready at some later time changes nothing here.</summary>
public sealed class NodeReady
{
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The node has answered that it is ready.</summary>
    public void Note() => _first.TrySetResult();

    /// <summary>Work that begins after it could not begin: the process ends with 1, so that whatever runs it starts it again.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Work that begins after it could not begin, or ended with an exception.</summary>
    public void NoteFailure() => HasFailed = true;

    /// <summary>Waits for the first answer that says ready, or until the limit is over when nobody asks.</summary>
    public async Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await _first.Task.WaitAsync(limit, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Nobody asks this node whether it is ready.
        }
    }
}
