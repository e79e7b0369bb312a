using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Reelbase.Server.Features.Jobs.Live;

/// <summary>One row that <c>read_live</c> answers.</summary>
public sealed record LiveRead(int Ask, string Kind, Guid? Id, long? Version, string? Record)
{
    /// <summary>Where the job waits, if its places can be found in memory.</summary>
    internal LiveSpot? Spot { get; init; }
}

/// <summary>Where a job waits that never was handed out.</summary>
internal sealed record LiveSpot(string Provider, string Lane, long Key);

/// <summary>What is to be read for one user.</summary>
internal sealed record LiveAsk(
    int Number,
    Guid User,
    string Claims,
    IReadOnlyCollection<Guid> Sessions,
    IReadOnlyCollection<Guid> Jobs,
    IReadOnlyCollection<Guid> Statuses,
    int Newest,
    bool Profile
)
{
    /// <summary>Whether nobody wants more than the statuses of their own jobs, under one session: the usual case, which needs no change of role.</summary>
    [JsonIgnore]
    public bool IsPlain { get; init; }
}

/// <summary>What is known of a watched row: no more than it takes to see that it has changed.</summary>
internal sealed class LiveRow
{
    /// <summary>Whether it was read at all; before that nothing about it is news.</summary>
    public bool IsRead { get; set; }

    /// <summary>What was read, hashed; null when the caller sees no such row.</summary>
    public long? Hash { get; set; }

    public long? Version { get; set; }
    public int? Place { get; set; }
    public LiveSpot? Spot { get; set; }

    /// <summary>The reading that its place came with (<see cref="LiveSubscriptions.Readings"/>).</summary>
    public long PlaceReading { get; set; }
    public DateTime Created { get; set; }

    /// <summary>Watchers that named it.</summary>
    public int Named { get; set; }

    /// <summary>Those of them who want what <c>get-video-status</c> answers.</summary>
    public int Statuses { get; set; }

    /// <summary>Takes note of a reading.</summary>
    /// <returns>INSERT, UPDATE, DELETE; null when nothing is new, or nothing was known before.</returns>
    public string? Note(string? record)
    {
        long? hash = record is null ? null : BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes(record)));
        var type =
            !IsRead || hash == Hash ? null
            : Hash is null ? "INSERT"
            : hash is null ? "DELETE"
            : "UPDATE";
        (IsRead, Hash) = (true, hash);
        return type;
    }

    /// <summary>Takes note that it is there. Its watchers get its status and no news of the row, so what it says is not compared.</summary>
    public void NoteSeen() => (IsRead, Hash) = (true, Hash ?? 0);
}

/// <summary>Everybody who watches as one user: what the rows are is read once for all of them. Guarded by the index's lock, so it counts who wants what instead of asking everybody.</summary>
internal sealed class LiveAudience(LiveSubscriptions subscriptions, Guid userId, bool isUnverified)
{
    /// <summary>Jobs of a user that a watcher of all of them is kept informed of: the newest ones.</summary>
    public const int Newest = 30;

    private HashSet<Guid>? _dirty;
    private bool _isWindowDirty;
    private int _wantAll;
    private int _wantProfile;
    private int _wantRows;
    private int _named;

    public Guid UserId => userId;
    public bool IsUnverified => isUnverified;
    public List<LiveWatch> Watches { get; } = [];
    public Dictionary<Guid, LiveRow> Jobs { get; } = [];
    public LiveRow? Profile { get; private set; }

    /// <summary>The rows of users: the one that the token names, and the account that it may have been merged into.</summary>
    public (Guid Id, long Version)[] UserVersions { get; private set; } = [];

    /// <summary>Whether it waits to be read.</summary>
    public bool IsQueued { get; set; }

    private bool HasWindow { get; set; }

    public void Add(LiveWatch watch)
    {
        watch.Audience = this;
        Watches.Add(watch);
        _wantAll += watch.Interest.AllJobs ? 1 : 0;
        _wantProfile += watch.Interest.Profile ? 1 : 0;
        _wantRows += watch.Interest.IsStatusAlone ? 0 : 1;
        foreach (var job in watch.Interest.Jobs)
        {
            var row = RowOf(job, isRead: false);
            _named += row.Named++ == 0 ? 1 : 0;
            row.Statuses += watch.Interest.WantsStatus ? 1 : 0;
            SetDirty(job);
        }
    }

    /// <summary>Takes one watcher out, and forgets what nobody watches any more.</summary>
    public void Remove(LiveWatch watch)
    {
        watch.Audience = null;
        Watches.Remove(watch);
        _wantAll -= watch.Interest.AllJobs ? 1 : 0;
        _wantProfile -= watch.Interest.Profile ? 1 : 0;
        _wantRows -= watch.Interest.IsStatusAlone ? 0 : 1;
        foreach (var job in watch.Interest.Jobs)
        {
            if (Jobs.TryGetValue(job, out var row))
            {
                row.Statuses -= watch.Interest.WantsStatus ? 1 : 0;
                if (--row.Named == 0)
                {
                    _named--;
                    ForgetUnlessWatched(job, row);
                }
            }
        }
        if (Watches.Count == 0 || (_wantAll == 0 && watch.Interest.AllJobs) || Jobs.Count - _named > 2 * Newest)
        {
            LetGo();
        }
    }

    public void SetDirty(Guid job) => (_dirty ??= []).Add(job);

    public void SetAllDirty() => _isWindowDirty = true;

    /// <summary>What is to be read, which then counts as clean.</summary>
    public LiveAsk Take(int number)
    {
        IReadOnlyCollection<Guid> jobs = (_isWindowDirty ? [.. Jobs.Keys] : _dirty?.Where(Jobs.ContainsKey).ToList()) ?? [];
        var statuses = jobs.Where(job => Jobs[job].Statuses > 0).ToList();
        Guid[] sessions = [.. Watches.Select(watch => watch.SessionId).OfType<Guid>().Distinct()];
        var ask = new LiveAsk(
            number,
            userId,
            Watches[^1].Caller.Claims,
            sessions,
            jobs,
            statuses,
            _wantAll > 0 && (_isWindowDirty || !HasWindow) ? Newest : 0,
            _wantProfile > 0
        )
        {
            IsPlain = _wantRows == 0 && !isUnverified && sessions.Length == 1 && jobs.Count > 0,
        };
        (_dirty, _isWindowDirty, IsQueued) = (null, false, false);
        return ask;
    }

    /// <summary>What a reading says, as calls to whoever wants to hear it.</summary>
    /// <param name="ask">What was asked.</param>
    /// <param name="rows">The answer.</param>
    /// <param name="now">When.</param>
    /// <param name="calls">Gets the calls, in their order.</param>
    public void Apply(LiveAsk ask, IReadOnlyList<LiveRead> rows, DateTime now, List<Action> calls)
    {
        NoteVersions(ask, rows);
        var seen = rows.Where(row => row.Kind == "job").DistinctBy(row => row.Id).ToDictionary(row => row.Id!.Value, row => row.Record!);
        var statuses = rows.Where(row => row.Kind == "status").Select(row => row.Id!.Value).ToHashSet();
        foreach (var job in ask.Jobs.Concat(seen.Keys).Distinct().ToList())
        {
            var record = seen.GetValueOrDefault(job);
            // One that is found among the newest and was not there when they were read first is news.
            var row = RowOf(job, isRead: HasWindow);
            if (record is null && statuses.Contains(job))
            {
                row.NoteSeen();
                continue;
            }
            var type = row.Note(record);
            var element = record is null || (type is null && ask.Newest == 0) ? default : JsonSerializer.Deserialize<JsonElement>(record);
            if (element.ValueKind == JsonValueKind.Object)
            {
                row.Created = element.GetProperty("created_at").GetDateTime();
            }
            if (type is not null)
            {
                Call(new("video_jobs", type, job, element, now), watch => watch.Wants(job), calls);
            }
            if (type == "INSERT" && element.GetProperty("status").GetString() != "pending")
            {
                // It has gone on already, which watchers of updates are waiting for.
                Call(new("video_jobs", "UPDATE", job, element, now), watch => watch.Wants(job), calls);
            }
        }
        foreach (var job in ask.Jobs)
        {
            // Whoever named it may have gone while it was read.
            ForgetUnlessWatched(job, Jobs.GetValueOrDefault(job));
        }
        NoteStatuses(rows, calls);
        if (rows.FirstOrDefault(row => row.Kind == "user") is { } user)
        {
            Profile ??= new();
            if (Profile.Note(user.Record) is { } type)
            {
                var element = JsonSerializer.Deserialize<JsonElement>(user.Record!);
                Call(new("users", type, user.Id!.Value, element, now), watch => watch.Interest.Profile, calls);
            }
        }
        if (ask.Newest > 0)
        {
            HasWindow = true;
            LetGo();
        }
    }

    /// <summary>Forgets rows that nobody watches: neither by name nor as one of the newest.</summary>
    private void LetGo()
    {
        HasWindow &= _wantAll > 0;
        var kept = _wantAll > 0 ? Jobs.OrderByDescending(job => job.Value.Created).Take(Newest).Select(job => job.Key).ToHashSet() : [];
        foreach (var job in Jobs.Where(job => job.Value.Named == 0 && !kept.Contains(job.Key)).Select(job => job.Key).ToList())
        {
            Forget(job);
        }
    }

    private LiveRow RowOf(Guid job, bool isRead)
    {
        if (!Jobs.TryGetValue(job, out var row))
        {
            Jobs[job] = row = new() { IsRead = isRead };
            subscriptions.Index(job, this);
        }
        return row;
    }

    private void ForgetUnlessWatched(Guid job, LiveRow? row)
    {
        if (row is { Named: 0 } && _wantAll == 0)
        {
            Forget(job);
        }
    }

    private void Forget(Guid job)
    {
        Jobs.Remove(job);
        subscriptions.Unindex(job, this);
    }

    private void NoteVersions(LiveAsk ask, IReadOnlyList<LiveRead> rows)
    {
        foreach (var job in ask.Jobs)
        {
            if (Jobs.TryGetValue(job, out var row))
            {
                row.Version = null;
            }
        }
        UserVersions = [.. rows.Where(row => row.Kind == "user_version").DistinctBy(row => row.Id).Select(row => (row.Id!.Value, row.Version!.Value))];
        foreach (var row in rows.Where(row => row.Kind == "job_version"))
        {
            RowOf(row.Id!.Value, isRead: HasWindow).Version = row.Version;
        }
    }

    private void NoteStatuses(IReadOnlyList<LiveRead> rows, List<Action> calls)
    {
        foreach (var row in rows.Where(row => row.Kind == "status"))
        {
            var status = JsonSerializer.Deserialize<JsonElement>(row.Record!);
            if (Jobs.TryGetValue(row.Id!.Value, out var job))
            {
                job.Place = status.GetProperty("queue_position").ValueKind == JsonValueKind.Number ? status.GetProperty("queue_position").GetInt32() : null;
                job.Spot = job.Place is null ? null : row.Spot;
                job.PlaceReading = subscriptions.Readings;
            }
            foreach (var watch in Watches.Where(watch => watch.Interest.WantsStatus && watch.Interest.Jobs.Contains(row.Id.Value)))
            {
                calls.Add(() => watch.Listener.OnStatus(watch, status));
            }
        }
    }

    private void Call(LiveChange change, Func<LiveWatch, bool> isMeant, List<Action> calls)
    {
        foreach (var watch in Watches.Where(watch => watch.IsReady && isMeant(watch)))
        {
            calls.Add(() => watch.Listener.OnChange(watch, change));
        }
    }
}
