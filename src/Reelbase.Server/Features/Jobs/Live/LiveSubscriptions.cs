using Reelbase.Server.Features.Jobs.Queue;

namespace Reelbase.Server.Features.Jobs.Live;

/// <summary>Who watches what, what of it is to be read, and what a reading means for whom. Every member may be called from any thread.</summary>
internal sealed class LiveSubscriptions
{
    /// <summary>Places beyond it are reported to one percent.</summary>
    private const int ExactPlaces = 1000;

    /// <summary>Changes of places that are reported at once; the rest follows with the next.</summary>
    private const int MaxPlacesAtOnce = 2000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid User, bool IsUnverified), LiveAudience> _audiences = [];
    private readonly Dictionary<Guid, List<LiveAudience>> _byJob = [];
    private readonly Dictionary<Guid, List<LiveAudience>> _byUser = [];
    private readonly Queue<LiveAudience> _queue = [];

    /// <summary>One user's part of a reading.</summary>
    /// <param name="Audience">Whose.</param>
    /// <param name="Ask">What is read.</param>
    /// <param name="Waiting">Who is ready after it.</param>
    internal sealed record Part(LiveAudience Audience, LiveAsk Ask, IReadOnlyList<LiveWatch> Waiting);

    /// <summary>Everything that is watched, as it was last read.</summary>
    internal sealed record Versions(Guid[] Jobs, long?[] JobVersions, Guid[] Users, long?[] UserVersions, Guid[] Sessions);

    private long _readings;

    /// <summary>Readings of statuses until now. Places that are read from here on are older than what a later reading brings.</summary>
    public long Readings => Interlocked.Read(ref _readings);

    public int Watchers
    {
        get
        {
            lock (_lock)
            {
                return _audiences.Values.Sum(audience => audience.Watches.Count);
            }
        }
    }

    public int ReadyWatchers
    {
        get
        {
            lock (_lock)
            {
                return _audiences.Values.Sum(audience => audience.Watches.Count(watch => watch.IsReady));
            }
        }
    }

    public void Add(LiveWatch watch)
    {
        lock (_lock)
        {
            var key = (watch.Caller.UserId!.Value, watch.SessionId is null);
            if (!_audiences.TryGetValue(key, out var audience))
            {
                _audiences[key] = audience = new(this, key.Item1, key.Item2);
                Index(_byUser, audience.UserId, audience);
            }
            audience.Add(watch);
            Enqueue(audience);
        }
    }

    public void Remove(LiveWatch watch)
    {
        lock (_lock)
        {
            if (watch.Audience is { } audience)
            {
                audience.Remove(watch);
                Tidy(audience);
            }
        }
    }

    public bool MarkJob(Guid job)
    {
        lock (_lock)
        {
            var audiences = _byJob.GetValueOrDefault(job);
            audiences?.ForEach(audience =>
            {
                audience.SetDirty(job);
                Enqueue(audience);
            });
            return audiences is not null;
        }
    }

    public bool MarkUser(Guid user)
    {
        lock (_lock)
        {
            var audiences = _byUser.GetValueOrDefault(user);
            audiences?.ForEach(audience =>
            {
                audience.SetAllDirty();
                Enqueue(audience);
            });
            return audiences is not null;
        }
    }

    /// <summary>One walk for however many sessions have ended.</summary>
    public void MarkSessions(IReadOnlySet<Guid> sessions)
    {
        lock (_lock)
        {
            foreach (var audience in _audiences.Values.Where(audience => audience.Watches.Exists(watch => watch.SessionId is { } id && sessions.Contains(id))))
            {
                Enqueue(audience);
            }
        }
    }

    /// <summary>Those who are not ready yet are read now.</summary>
    public void MarkWaiting()
    {
        lock (_lock)
        {
            foreach (var audience in _audiences.Values.Where(audience => audience.Watches.Exists(watch => !watch.IsReady)))
            {
                Enqueue(audience);
            }
        }
    }

    public List<Part> Take(int most)
    {
        lock (_lock)
        {
            var parts = new List<Part>();
            while (parts.Count < most && _queue.TryDequeue(out var audience))
            {
                audience.IsQueued = false;
                if (audience.Watches.Count > 0)
                {
                    parts.Add(new(audience, audience.Take(parts.Count), [.. audience.Watches.Where(watch => !watch.IsReady)]));
                }
            }
            return parts;
        }
    }

    /// <summary>What could not be read is still to be read.</summary>
    public void PutBack(List<Part> parts)
    {
        lock (_lock)
        {
            parts.ForEach(PutBack);
        }
    }

    /// <summary>What a reading means: the calls to make, outside of any lock.</summary>
    public List<Action> Apply(List<Part> parts, ILookup<int, LiveRead> rows, bool isListening, DateTime now)
    {
        var calls = new List<Action>();
        lock (_lock)
        {
            _readings++;
            foreach (var part in parts)
            {
                Apply(part, [.. rows[part.Ask.Number]], isListening, now, calls);
            }
        }
        return calls;
    }

    /// <summary>The switch for shipped builds has closed: whoever watches without a session watches no longer.</summary>
    public List<Action> EndUnverified()
    {
        var calls = new List<Action>();
        lock (_lock)
        {
            foreach (var audience in _audiences.Values.Where(audience => audience.IsUnverified).ToList())
            {
                End(audience, _ => true, "session_ended", calls);
                Tidy(audience);
            }
        }
        return calls;
    }

    /// <summary>Everybody who is watched for now, for <see cref="Known(IEnumerable{LiveAudience})"/> in parts.</summary>
    public LiveAudience[] Audiences()
    {
        lock (_lock)
        {
            return [.. _audiences.Values];
        }
    }

    /// <summary>What is known of everything that is watched.</summary>
    public Versions Known() => Known(Audiences());

    /// <summary>What is known of what some users watch.</summary>
    public Versions Known(IEnumerable<LiveAudience> audiences)
    {
        lock (_lock)
        {
            var some = audiences.ToList();
            var jobs = some.SelectMany(audience => audience.Jobs).DistinctBy(job => job.Key).ToList();
            var users = some.SelectMany(audience => audience.UserVersions).DistinctBy(user => user.Id).ToList();
            var sessions = some.SelectMany(audience => audience.Watches).Select(watch => watch.SessionId).OfType<Guid>().Distinct();
            return new(
                [.. jobs.Select(job => job.Key)],
                [.. jobs.Select(job => job.Value.Version)],
                [.. users.Select(user => user.Id)],
                [.. users.Select(user => (long?)user.Version)],
                [.. sessions]
            );
        }
    }

    /// <summary>Providers in whose queues somebody waits whose place can be found in memory.</summary>
    public string[] WaitingProviders()
    {
        lock (_lock)
        {
            return [.. Rows().Select(row => row.Value.Spot?.Provider).OfType<string>().Distinct(StringComparer.Ordinal)];
        }
    }

    /// <summary>Jobs that wait and whose places are not found in the queues that are known.</summary>
    public Guid[] WaitingJobs(QueueMemory.Known? known)
    {
        lock (_lock)
        {
            return [.. Rows().Where(row => row.Value.Place is not null && !Knows(known, row.Value.Spot)).Select(row => row.Key).Distinct()];
        }
    }

    /// <summary>
    /// Notifies watchers of jobs that have another place: each up to a thousand, and beyond once it is one percent another. Of more changes than may be reported at once those are
    /// reported that change most, so that a long queue that moves costs its watchers no more than a short one.
    /// </summary>
    /// <param name="known">The queues as a whole.</param>
    /// <param name="others">Places of jobs that no queue in memory knows.</param>
    /// <param name="since"><see cref="Readings"/> when the places began to be read: a status that came since is newer than they are.</param>
    public List<Action> NotePlaces(QueueMemory.Known? known, IEnumerable<JobPlace> others, long since)
    {
        var calls = new List<Action>();
        lock (_lock)
        {
            var moved = new List<(LiveAudience Audience, Guid Job, LiveRow Row, int Place)>();
            foreach (var audience in _audiences.Values)
            {
                foreach (var (job, row) in audience.Jobs)
                {
                    if (row.Place is not null && Knows(known, row.Spot))
                    {
                        moved.Add((audience, job, row, known!.Position(row.Spot!.Provider, row.Spot.Lane, row.Spot.Key)));
                    }
                }
            }
            foreach (var (job, place) in others)
            {
                moved.AddRange(
                    from audience in _byJob.GetValueOrDefault(job) ?? []
                    where audience.Jobs.ContainsKey(job)
                    select (audience, job, audience.Jobs[job], place)
                );
            }
            var news = moved.Where(each => each.Row.PlaceReading <= since && each.Row.Place is { } before && IsNews(before, each.Place)).ToList();
            if (news.Count > MaxPlacesAtOnce)
            {
                news = [.. news.OrderByDescending(each => Math.Abs(each.Place - each.Row.Place!.Value) / (each.Place + 1.0)).Take(MaxPlacesAtOnce)];
            }
            foreach (var (audience, job, row, place) in news)
            {
                row.Place = place;
                foreach (var watch in audience.Watches.Where(watch => watch.Interest.WantsStatus && watch.Interest.Jobs.Contains(job)))
                {
                    calls.Add(() => watch.Listener.OnPlace(watch, job, place));
                }
            }
        }
        return calls;
    }

    private IEnumerable<KeyValuePair<Guid, LiveRow>> Rows() => _audiences.Values.SelectMany(audience => audience.Jobs);

    private static bool Knows(QueueMemory.Known? known, LiveSpot? spot) => spot is not null && known is not null && known.Providers.Contains(spot.Provider);

    private static bool IsNews(int before, int place) => place != before && (place < ExactPlaces || 100L * Math.Abs(place - before) >= place);

    private void Apply(Part part, List<LiveRead> rows, bool isListening, DateTime now, List<Action> calls)
    {
        var audience = part.Audience;
        if (audience.Watches.Count == 0)
        {
            // Everybody has gone meanwhile, and whoever came since has an audience of their own.
            return;
        }
        foreach (var ended in rows.Where(row => row.Kind == "ended"))
        {
            var reason = System.Text.Json.JsonDocument.Parse(ended.Record!).RootElement.GetProperty("reason").GetString()!;
            End(audience, watch => ended.Id is null || watch.SessionId == ended.Id, reason, calls);
        }
        var endedSessions = rows.Count(row => row.Kind == "ended" && row.Id is not null);
        var wasRead = rows.TrueForAll(row => row.Kind != "ended" || row.Id is not null) && (audience.IsUnverified || endedSessions < part.Ask.Sessions.Count);
        if (wasRead)
        {
            audience.Apply(part.Ask, rows, now, calls);
            foreach (var (user, _) in audience.UserVersions)
            {
                Index(_byUser, user, audience);
            }
            foreach (var watch in part.Waiting.Where(watch => isListening && watch.Audience == audience))
            {
                watch.IsReady = true;
                calls.Add(() => watch.Listener.OnReady(watch));
            }
        }
        else if (audience.Watches.Count > 0)
        {
            // Somebody came with another session in between: nothing was read for them.
            PutBack(part);
        }
        Tidy(audience);
    }

    private static void End(LiveAudience audience, Predicate<LiveWatch> isMeant, string reason, List<Action> calls)
    {
        foreach (var watch in audience.Watches.FindAll(isMeant))
        {
            audience.Remove(watch);
            calls.Add(() => watch.Listener.OnEnd(watch, reason));
        }
    }

    /// <summary>A job begins to be watched for a user. Under the lock.</summary>
    public void Index(Guid job, LiveAudience audience) => Index(_byJob, job, audience);

    /// <summary>A job is not watched for a user any more. Under the lock.</summary>
    public void Unindex(Guid job, LiveAudience audience) => Unindex(_byJob, job, audience);

    /// <summary>An audience that nobody belongs to any more is forgotten.</summary>
    private void Tidy(LiveAudience audience)
    {
        if (audience.Watches.Count > 0)
        {
            return;
        }
        var key = (audience.UserId, audience.IsUnverified);
        if (ReferenceEquals(_audiences.GetValueOrDefault(key), audience))
        {
            _audiences.Remove(key);
        }
        foreach (var (user, _) in audience.UserVersions)
        {
            Unindex(_byUser, user, audience);
        }
        Unindex(_byUser, audience.UserId, audience);
    }

    private void PutBack(Part part)
    {
        foreach (var job in part.Ask.Jobs)
        {
            part.Audience.SetDirty(job);
        }
        if (part.Ask.Newest > 0 || part.Ask.Profile)
        {
            part.Audience.SetAllDirty();
        }
        Enqueue(part.Audience);
    }

    private void Enqueue(LiveAudience audience)
    {
        if (!audience.IsQueued)
        {
            audience.IsQueued = true;
            _queue.Enqueue(audience);
        }
    }

    private static void Index(Dictionary<Guid, List<LiveAudience>> index, Guid key, LiveAudience audience)
    {
        if (!index.TryGetValue(key, out var audiences))
        {
            index[key] = audiences = new(1);
        }
        if (!audiences.Contains(audience))
        {
            audiences.Add(audience);
        }
    }

    private static void Unindex(Dictionary<Guid, List<LiveAudience>> index, Guid key, LiveAudience audience)
    {
        if (index.TryGetValue(key, out var audiences) && audiences.Remove(audience) && audiences.Count == 0)
        {
            index.Remove(key);
        }
    }
}
