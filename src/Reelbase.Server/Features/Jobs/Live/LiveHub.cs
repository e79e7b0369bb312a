using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.Live;

/// <summary>
/// The one place at a node where changes of rows arrive and from which streams and sockets get them. A row that has changed is read once for everybody who
/// watches it as the same user, many users in one call. Notifications make it fast; comparing versions every few seconds makes it certain.
/// </summary>
public sealed class LiveHub : PeriodicWork
{
    private const string JobTopic = "job:";
    private const string UserTopic = "user:";

    /// <summary>Users whose rows one call reads.</summary>
    private const int MaxAsks = 100;

    /// <summary>Users whose rows one comparison asks for.</summary>
    private const int MaxCompared = 500;
    private static readonly TimeSpan BetweenParts = TimeSpan.FromMilliseconds(25);

    /// <summary>Changes come in bursts: what comes within this time of a reading is read together.</summary>
    private static readonly TimeSpan BatchWindow = TimeSpan.FromMilliseconds(8);
    private static readonly TimeSpan Places = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private readonly ApiDatabase _database;
    private readonly ChangeFeed _feed;
    private readonly TimeProvider _clock;
    private readonly ServerOptions _server;
    private readonly TimeSpan _sweep;
    private readonly ILogger<LiveHub> _logger;
    private readonly SemaphoreSlim _bell = new(0, 1);
    private readonly LiveSubscriptions _book = new();
    private long _sweptAt;
    private long _readAt;
    private long _placesAt;
    private volatile bool _mustSweep;
    private Task _sweeping = Task.CompletedTask;
    private long _rowsRead;

    public LiveHub(
        ApiDatabase database,
        ChangeFeed feed,
        TimeProvider clock,
        IOptions<ServerOptions> server,
        IOptions<LiveOptions> live,
        ILogger<LiveHub> logger
    )
        : base(logger)
    {
        (_database, _feed, _clock, _server, _logger) = (database, feed, clock, server.Value, logger);
        _sweep = TimeSpan.FromSeconds(live.Value.SweepSeconds);
        feed.Changed += OnTopic;
        feed.Listening += OnListening;
    }

    /// <summary>Jobs that were read since the start, for whomever.</summary>
    internal long RowsRead => Interlocked.Read(ref _rowsRead);

    /// <summary>Watchers now.</summary>
    internal int Watchers => _book.Watchers;

    /// <summary>Those of them who miss nothing any more.</summary>
    internal int ReadyWatchers => _book.ReadyWatchers;

    /// <summary>Begins to watch. The listener's <c>OnReady</c> says when nothing is missed any more: not before the database has confirmed that this node listens.</summary>
    public LiveWatch Watch(Caller caller, LiveInterest interest, ILiveListener listener)
    {
        var watch = new LiveWatch(this, caller, interest, listener);
        _book.Add(watch);
        Ring();
        return watch;
    }

    internal void Remove(LiveWatch watch) => _book.Remove(watch);

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.Zero;

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        try
        {
            var wait =
                !_sweeping.IsCompleted ? Places // its end rings
                : _mustSweep ? TimeSpan.Zero
                : Left(_sweptAt, _sweep);
            wait = wait < Left(_placesAt, Places) ? wait : Left(_placesAt, Places);
            if (await _bell.WaitAsync(wait, stoppingToken) && Left(_readAt, BatchWindow) is { Ticks: > 0 } rest)
            {
                await Task.Delay(rest, stoppingToken);
            }
            while (await ReadAsync(stoppingToken)) { }
            _readAt = _clock.GetTimestamp();
            if (_sweeping.IsCompleted)
            {
                var swept = _sweeping;
                _sweeping = Task.CompletedTask;
                await swept;
                if (_mustSweep || Left(_sweptAt, _sweep) == TimeSpan.Zero)
                {
                    // Beside the readings: with many watchers it takes a while, and changes do not wait for it.
                    _sweeping = SweepAsync(stoppingToken);
                }
            }
            if (Left(_placesAt, Places) == TimeSpan.Zero)
            {
                await ReadPlacesAsync(stoppingToken);
            }
        }
        catch (NpgsqlException error) when (!stoppingToken.IsCancellationRequested)
        {
            // Watchers keep their connections; what was missed is found by comparing versions as soon as the database is back.
            _logger.LogWarning("What is watched could not be read ({Reason}); trying again", error.Message);
            _mustSweep = true;
            await Task.Delay(AfterFailure, stoppingToken);
        }
    }

    private void OnTopic(string topic)
    {
        var isMeant =
            topic.StartsWith(JobTopic, StringComparison.Ordinal) && Guid.TryParse(topic.AsSpan(JobTopic.Length), out var job)
                ? _book.MarkJob(job)
                : topic.StartsWith(UserTopic, StringComparison.Ordinal) && Guid.TryParse(topic.AsSpan(UserTopic.Length), out var user) && _book.MarkUser(user);
        if (isMeant)
        {
            Ring();
        }
    }

    private void OnListening()
    {
        _mustSweep = true;
        _book.MarkWaiting();
        Ring();
    }

    private void Ring()
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

    private TimeSpan Left(long since, TimeSpan length)
    {
        var left = since == 0 ? TimeSpan.Zero : length - _clock.GetElapsedTime(since);
        return left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }

    /// <summary>Reads what is marked, for a number of users.</summary>
    /// <returns>Whether there is more.</returns>
    private async Task<bool> ReadAsync(CancellationToken stoppingToken)
    {
        // Whoever began to watch is ready only by a reading that began while the node was listening.
        var isListening = _feed.IsListening;
        var round = _book.Take(MaxAsks);
        if (round.Count == 0)
        {
            return false;
        }
        List<LiveRead> rows;
        try
        {
            rows = await _database.ListAsync<LiveRead>(
                "select ask, kind, id, version, record::text as record from read_live($1::jsonb)",
                stoppingToken,
                JsonSerializer.Serialize(round.Select(each => each.Ask), Json.Options)
            );
        }
        catch
        {
            _book.PutBack(round);
            throw;
        }
        Interlocked.Add(ref _rowsRead, rows.Count(row => row.Kind == "job"));
        Make(_book.Apply(round, rows.ToLookup(row => row.Ask), isListening, _clock.GetUtcNow().UtcDateTime));
        return round.Count == MaxAsks;
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        (_mustSweep, _sweptAt) = (false, _clock.GetTimestamp());
        if (!_server.AcceptsShippedBuilds(_clock))
        {
            Make(_book.EndUnverified());
        }
        try
        {
            foreach (var some in _book.Audiences().Chunk(MaxCompared))
            {
                await CompareAsync(_book.Known(some), stoppingToken);
                // In parts with pauses: with many watchers it is much work, and changes are read meanwhile.
                await Task.Delay(BetweenParts, stoppingToken);
            }
        }
        finally
        {
            Ring();
        }
    }

    private async Task CompareAsync(LiveSubscriptions.Versions known, CancellationToken stoppingToken)
    {
        var changed = await _database.ListAsync<Swept>(
            "select kind, id from sweep_live($1, $2, $3, $4, $5)",
            stoppingToken,
            known.Jobs,
            known.JobVersions,
            known.Users,
            known.UserVersions,
            known.Sessions
        );
        foreach (var row in changed)
        {
            _ = row.Kind switch
            {
                "job" => _book.MarkJob(row.Id),
                "user" => _book.MarkUser(row.Id),
                _ => false,
            };
        }
        if (changed.Where(row => row.Kind == "session").Select(row => row.Id).ToHashSet() is { Count: > 0 } sessions)
        {
            _book.MarkSessions(sessions);
        }
        if (changed.Count > 0)
        {
            Ring();
        }
    }

    private async Task ReadPlacesAsync(CancellationToken stoppingToken)
    {
        _placesAt = _clock.GetTimestamp();
        var jobs = _book.WaitingJobs();
        if (jobs.Length > 0)
        {
            Make(_book.NotePlaces(await _database.ListAsync<JobPlace>("select job_id, place from list_live_places($1)", stoppingToken, [jobs])));
        }
    }

    private void Make(List<Action> calls)
    {
        foreach (var call in calls)
        {
            try
            {
                call();
            }
            catch (Exception error)
            {
                // One watcher's trouble is not another's.
                WorkFailures.Note(_logger, nameof(LiveHub), "notify a watcher", error);
            }
        }
    }

    private sealed record Swept(string Kind, Guid Id);
}

/// <summary>The place of a waiting job.</summary>
public sealed record JobPlace(Guid JobId, int Place);
