using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Npgsql;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Notifies every node that something changed: at once inside this process, and through one coalesced notification after
/// commit to the others. Nothing depends on it arriving; whoever waits also polls by itself.
/// </summary>
/// <remarks>
/// Notifying inside the accepting transaction would serialize all commits (PostgreSQL takes one lock for the notification
/// queue), which is why it happens afterwards and for many changes at once.
/// </remarks>
public sealed class ChangeFeed(ConnectionStrings strings, ILogger<ChangeFeed> logger) : PeriodicWork(logger), IBeforeReady
{
    /// <summary>How the connection that listens is named in pg_stat_activity.</summary>
    public const string ListenerName = "reelbase listener";

    private const string ChannelName = "reelbase_changes";
    private const int MaxTopicsPerNotification = 100;
    private static readonly TimeSpan BatchWindow = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CheckPause = TimeSpan.FromSeconds(15);

    private readonly Guid _node = Guid.NewGuid();
    private readonly ConcurrentDictionary<string, Subscription[]> _subscriptions = new(StringComparer.Ordinal);
    private readonly Channel<string> _outgoing = Channel.CreateBounded<string>(
        new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
    );

    private volatile bool _isListening;

    /// <summary>Every topic that changed, here or at another node; on the thread that brings it, so it may not wait.</summary>
    public event Action<string>? Changed;

    /// <summary>Listening began, or began anew: what was notified before that went by.</summary>
    public event Action? Listening;

    /// <summary>Whether PostgreSQL has confirmed that this node hears of what other nodes change.</summary>
    public bool IsListening => _isListening;

    /// <summary>Says that a topic changed. Call it after the change is committed.</summary>
    public void Publish(string topic)
    {
        Deliver(topic);
        _outgoing.Writer.TryWrite(topic);
    }

    /// <summary>Says that a topic changed to this process only.</summary>
    public void PublishLocally(string topic) => Deliver(topic);

    /// <summary>Starts to hear about topics; dispose to stop.</summary>
    public Subscription Subscribe(params string[] topics)
    {
        var subscription = new Subscription(this, topics);
        foreach (var topic in topics)
        {
            _subscriptions.AddOrUpdate(topic, [subscription], (_, others) => [.. others, subscription]);
        }
        return subscription;
    }

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.Zero;

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var first = await Task.WhenAny(SendAsync(either.Token), ListenAsync(either.Token));
        // Neither ends by itself: whatever ended one, both begin anew.
        await either.CancelAsync();
        await first;
    }

    private void Deliver(string topic)
    {
        Changed?.Invoke(topic);
        if (_subscriptions.TryGetValue(topic, out var subscriptions))
        {
            foreach (var subscription in subscriptions)
            {
                subscription.Signal();
            }
        }
    }

    private async Task SendAsync(CancellationToken stoppingToken)
    {
        var sent = Stopwatch.StartNew();
        await foreach (var first in _outgoing.Reader.ReadAllAsync(stoppingToken))
        {
            // The first goes at once; what comes within this time of it goes together.
            if (BatchWindow - sent.Elapsed is { Ticks: > 0 } rest)
            {
                await Task.Delay(rest, stoppingToken);
            }
            sent.Restart();
            var topics = new HashSet<string>(StringComparer.Ordinal) { first };
            while (topics.Count < MaxTopicsPerNotification && _outgoing.Reader.TryRead(out var next))
            {
                topics.Add(next);
            }
            await using var connection = new NpgsqlConnection(strings.Worker);
            try
            {
                await connection.OpenAsync(stoppingToken);
                await using var command = new NpgsqlCommand("select pg_notify($1, $2)", connection)
                {
                    Parameters =
                    {
                        new() { Value = ChannelName },
                        new() { Value = $"{_node:N} {string.Join(' ', topics)}" },
                    },
                };
                await command.ExecuteNonQueryAsync(stoppingToken);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                NpgsqlConnection.ClearPool(connection);
                logger.LogWarning("Other nodes could not be notified ({Reason}); they will notice by polling", error.Message);
            }
        }
    }

    /// <summary>Nothing is ever notified on a former primary, so silence is asked about.</summary>
    private static async Task<bool> LeadsToPrimaryAsync(NpgsqlConnection connection, CancellationToken stoppingToken)
    {
        await using var command = new NpgsqlCommand("select current_setting('transaction_read_only')", connection);
        return await command.ExecuteScalarAsync(stoppingToken) is "off";
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        var listen = new NpgsqlConnectionStringBuilder(strings.Listen)
        {
            Pooling = false,
            KeepAlive = 30,
            ApplicationName = ListenerName,
        }.ConnectionString;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(listen);
                connection.Notification += (_, notice) =>
                {
                    var words = notice.Payload.Split(' ');
                    if (words[0] != _node.ToString("N"))
                    {
                        Array.ForEach(words[1..], Deliver);
                    }
                };
                await connection.OpenAsync(stoppingToken);
                await using (var command = new NpgsqlCommand($"listen {ChannelName}", connection))
                {
                    await command.ExecuteNonQueryAsync(stoppingToken);
                }
                _isListening = true;
                Listening?.Invoke();
                while (await connection.WaitAsync(CheckPause, stoppingToken) || await LeadsToPrimaryAsync(connection, stoppingToken)) { }
                logger.LogWarning("Listening for changes led to a server that takes no writes; asking who is at the address now");
                _isListening = false;
                await Task.Delay(Reconnect, stoppingToken);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                _isListening = false;
                // Whatever it was: a feed that ended would take the whole server with it.
                logger.LogWarning("Listening for changes broke off ({Reason}); trying again", error.Message);
                await Task.Delay(Reconnect, stoppingToken);
            }
        }
    }

    /// <summary>One listener's bell for its topics: it rings once for any number of changes since it was last heard.</summary>
    public sealed class Subscription : IDisposable
    {
        private readonly ChangeFeed _feed;
        private readonly string[] _topics;
        private readonly SemaphoreSlim _bell = new(0, 1);

        internal Subscription(ChangeFeed feed, string[] topics)
        {
            _feed = feed;
            _topics = topics;
        }

        /// <summary>Waits until one of them changed or <paramref name="limit"/> has passed; true when it changed.</summary>
        public Task<bool> WaitAsync(TimeSpan limit, CancellationToken cancellationToken) => _bell.WaitAsync(limit, cancellationToken);

        /// <inheritdoc/>
        public void Dispose()
        {
            Array.ForEach(_topics, Leave);
            // The bell is not disposed: a delivery under way may still ring it, and it holds nothing unmanaged.
        }

        private void Leave(string topic)
        {
            while (_feed._subscriptions.TryGetValue(topic, out var all))
            {
                var rest = all.Where(other => other != this).ToArray();
                var done = rest.Length == 0 ? _feed._subscriptions.TryRemove(new(topic, all)) : _feed._subscriptions.TryUpdate(topic, rest, all);
                if (done)
                {
                    break;
                }
            }
        }

        internal void Signal()
        {
            try
            {
                _bell.Release();
            }
            catch (SemaphoreFullException)
            {
                // It is ringing already.
            }
        }
    }
}
