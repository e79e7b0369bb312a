using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Features.Jobs.Queue;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.Live;

/// <summary>
/// The one place at a node where changes of rows arrive and from which streams and sockets get them. A row that has changed is read once for everybody who
/// watches it as the same user, many users in one call. Notifications make it fast; comparing versions every few seconds makes it certain. Where many jobs wait, the queues
/// are read and not the place of each.
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
    private readonly QueueReader _queues;
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
    private Task<Placed>? _placing;
    private long _rowsRead;

    public LiveHub(
        ApiDatabase database,
        ChangeFeed feed,
        QueueReader queues,
        TimeProvider clock,
        IOptions<ServerOptions> server,
        IOptions<LiveOptions> live,
        ILogger<LiveHub> logger
    )
        : base(logger)
    {
        (_database, _feed, _queues, _clock, _server, _logger) = (database, feed, queues, clock, server.Value, logger);
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
            var untilPlaces = _placing is null ? Left(_placesAt, Places) : Places; // its end rings
            wait = wait < untilPlaces ? wait : untilPlaces;
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
                    _sweeping = Ringing(SweepAsync(stoppingToken));
                }
            }
            if (_placing is { IsCompleted: true } placed)
            {
                // Reported here, between two readings, so that a place never overtakes what came after it.
                _placing = null;
                var (known, others, since) = await placed;
                Make(_book.NotePlaces(known, others, since));
            }
            if (_placing is null && Left(_placesAt, Places) == TimeSpan.Zero)
            {
                _placesAt = _clock.GetTimestamp();
                _placing = Ringing(ReadPlacesAsync(stoppingToken));
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
            rows = await ReadStatusesAsync(round, stoppingToken);
            var found = rows.ToLookup(row => row.Ask, row => row.Kind);
            var left = round.FindAll(each => found[each.Ask.Number].Count(kind => kind == "status") < (each.Ask.IsPlain ? each.Ask.Jobs.Count : 1));
            if (left.Count > 0)
            {
                var numbers = left.Select(each => each.Ask.Number).ToHashSet();
                rows.RemoveAll(row => numbers.Contains(row.Ask));
                rows.AddRange(
                    await _database.ListAsync<LiveRead>(
                        "select ask, kind, id, version, record::text as record from read_live($1::jsonb)",
                        stoppingToken,
                        JsonSerializer.Serialize(left.Select(each => each.Ask), Json.Options)
                    )
                );
            }
        }
        catch
        {
            _book.PutBack(round);
            throw;
        }
        Interlocked.Add(ref _rowsRead, rows.Where(row => row.Kind is "job" or "status").DistinctBy(row => (row.Ask, row.Id)).Count());
        Make(_book.Apply(round, rows.ToLookup(row => row.Ask), isListening, _clock.GetUtcNow().UtcDateTime));
        return round.Count == MaxAsks;
    }

    /// <summary>The usual case, by keys and in one statement: who wants no more than the statuses of their own jobs.</summary>
    private async Task<List<LiveRead>> ReadStatusesAsync(List<LiveSubscriptions.Part> round, CancellationToken stoppingToken)
    {
        var asked = round.Where(each => each.Ask.IsPlain).SelectMany(each => each.Ask.Jobs, (each, job) => (each.Ask, Job: job)).ToList();
        if (asked.Count == 0)
        {
            return [];
        }
        var read = await _database.ReadAsync(
            "select asked, version, user_version, record::text, provider, queue_lane, queue_key from read_live_statuses($1, $2, $3)",
            row => Rows(row, asked[row.GetInt32(0) - 1]),
            stoppingToken,
            new NpgsqlParameter<Guid[]> { TypedValue = [.. asked.Select(each => each.Ask.User)] },
            new NpgsqlParameter<Guid[]> { TypedValue = [.. asked.Select(each => each.Ask.Sessions.First())] },
            new NpgsqlParameter<Guid[]> { TypedValue = [.. asked.Select(each => each.Job)] }
        );
        return [.. read.SelectMany(each => each)];

        static LiveRead[] Rows(NpgsqlDataReader row, (LiveAsk Ask, Guid Job) asked) =>
            [
                new(asked.Ask.Number, "job_version", asked.Job, row.GetInt64(1), null),
                new(asked.Ask.Number, "user_version", asked.Ask.User, row.GetInt64(2), null),
                // One that came back, or is being handed over, has no key in its lane.
                new(asked.Ask.Number, "status", asked.Job, null, row.GetString(3))
                {
                    Spot =
                        row.IsDBNull(4) || row.IsDBNull(5) || row.IsDBNull(6) || row.GetInt64(6) <= 0
                            ? null
                            : new(row.GetString(4), row.GetString(5), row.GetInt64(6)),
                },
            ];
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        (_mustSweep, _sweptAt) = (false, _clock.GetTimestamp());
        if (!_server.AcceptsShippedBuilds(_clock))
        {
            Make(_book.EndUnverified());
        }
        foreach (var some in _book.Audiences().Chunk(MaxCompared))
        {
            await CompareAsync(_book.Known(some), stoppingToken);
            // In parts with pauses: with many watchers it is much work, and changes are read meanwhile.
            await Task.Delay(BetweenParts, stoppingToken);
        }
    }

    /// <summary>Wakes the loop once a task is over, not before: a ring that comes earlier finds it still under way and is lost.</summary>
    private T Ringing<T>(T task)
        where T : Task
    {
        _ = task.ContinueWith(_ => Ring(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return task;
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

    /// <summary>A statement for everybody who waits; another for those who came back to a queue, whose places no memory knows.</summary>
    private async Task<Placed> ReadPlacesAsync(CancellationToken stoppingToken)
    {
        var since = _book.Readings;
        var providers = _book.WaitingProviders();
        var known = providers.Length == 0 ? null : await _queues.ReadAsync(providers, stoppingToken);
        var others = _book.WaitingJobs(known);
        return new(
            known,
            others.Length == 0 ? [] : await _database.ListAsync<JobPlace>("select job_id, place from list_live_places($1)", stoppingToken, [others]),
            since
        );
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

    /// <summary>The queues that many wait in, and the places of those who wait otherwise.</summary>
    private sealed record Placed(QueueMemory.Known? Known, List<JobPlace> Others, long Since);

    private sealed record Swept(string Kind, Guid Id);
}

/// <summary>The place of a waiting job.</summary>
public sealed record JobPlace(Guid JobId, int Place);
