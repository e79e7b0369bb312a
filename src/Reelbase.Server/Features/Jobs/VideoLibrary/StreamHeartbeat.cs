using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>The heartbeats of all open streams of this node, spread over their time: one timer in all, where one for each stream would hold more than the stream itself.</summary>
internal sealed class StreamHeartbeat : PeriodicWork
{
    /// <summary>Seconds between two heartbeats of a stream.</summary>
    public const int Seconds = 15;

    private readonly Lock _lock = new();
    private readonly List<StatusStream>[] _groups = [.. Enumerable.Range(0, Seconds).Select(_ => new List<StatusStream>())];
    private int _next;

    public StreamHeartbeat(IHostApplicationLifetime lifetime, ILogger<StreamHeartbeat> logger)
        : base(logger)
    {
        Stopping = lifetime.ApplicationStopping;
        Stopping.Register(Stop);
    }

    /// <summary>Breaks off what a stream is just writing to a phone that does not read.</summary>
    public CancellationToken Stopping { get; }

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(1);

    /// <summary>Streams that get heartbeats now.</summary>
    internal int Known
    {
        get
        {
            lock (_lock)
            {
                return _groups.Sum(group => group.Count);
            }
        }
    }

    /// <summary>From here on a stream gets heartbeats.</summary>
    public void Add(StatusStream stream)
    {
        lock (_lock)
        {
            var group = _groups.MinBy(each => each.Count)!;
            (stream.Group, stream.Place) = (group, group.Count);
            group.Add(stream);
        }
        if (Stopping.IsCancellationRequested)
        {
            stream.End();
        }
    }

    /// <summary>The stream is over.</summary>
    public void Remove(StatusStream stream)
    {
        lock (_lock)
        {
            if (stream.Group is not { } group)
            {
                return;
            }
            // The last one takes the free place.
            var last = group[^1];
            (group[stream.Place], last.Place) = (last, stream.Place);
            group.RemoveAt(group.Count - 1);
            stream.Group = null;
        }
    }

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken)
    {
        SendNext();
        return Task.CompletedTask;
    }

    /// <summary>A heartbeat for one group; after <see cref="Seconds"/> of them every stream has had one.</summary>
    internal void SendNext()
    {
        lock (_lock)
        {
            _groups[_next].ForEach(stream => stream.RequestHeartbeat());
            _next = (_next + 1) % _groups.Length;
        }
    }

    /// <summary>This server stops: streams end, and clients ask another node.</summary>
    private void Stop()
    {
        lock (_lock)
        {
            foreach (var group in _groups)
            {
                group.ForEach(stream => stream.End());
            }
        }
    }
}
