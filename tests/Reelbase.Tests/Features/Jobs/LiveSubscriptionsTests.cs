using Reelbase.Server.Features.Jobs.Live;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>Who is known to watch while others come and go.</summary>
[Quick]
public sealed class LiveSubscriptionsTests
{
    private sealed class Nobody : ILiveListener
    {
        public void OnEnd(LiveWatch watch, string reason) { }
    }

    [Fact]
    public void A_reading_that_ends_after_its_watcher_left_does_not_forget_whoever_came_meanwhile()
    {
        var (user, job, session) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var subscriptions = new LiveSubscriptions();
        LiveWatch New() => new(null!, CallerOf(user, session), new LiveInterest([job]), new Nobody());
        var first = New();
        subscriptions.Add(first);
        var reading = subscriptions.Take(10);
        subscriptions.Remove(first);
        subscriptions.Add(New());
        subscriptions.Apply(reading, Enumerable.Empty<LiveRead>().ToLookup(row => row.Ask), isListening: true, DateTime.UtcNow);
        Assert.Equal(1, subscriptions.Watchers);
        Assert.Equal([session], subscriptions.Known().Sessions);
        Assert.Equal([job], subscriptions.Known().Jobs);
        Assert.True(subscriptions.MarkJob(job));
    }

    [Fact]
    public void Watches_of_one_user_that_end_do_not_walk_all_of_their_jobs_each()
    {
        const int watches = 200;
        const int jobs = 5;
        var (user, session) = (Guid.NewGuid(), Guid.NewGuid());
        var subscriptions = new LiveSubscriptions();
        var asked = new Asked();
        var all = Enumerable
            .Range(0, watches)
            .Select(_ => new LiveWatch(null!, CallerOf(user, session), new LiveInterest(new AskedJobs(asked, jobs)), new Nobody()))
            .ToList();
        all.ForEach(subscriptions.Add);
        Assert.Equal(watches * jobs, subscriptions.Known().Jobs.Length);
        all.ForEach(subscriptions.Remove);
        Assert.Empty(subscriptions.Known().Jobs);
        Assert.False(subscriptions.MarkUser(user));
        Assert.InRange(asked.Times, 0, 10 * watches);
    }

    [Fact]
    public void A_job_is_watched_until_the_last_of_its_watchers_has_gone()
    {
        var (user, session, job) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var subscriptions = new LiveSubscriptions();
        LiveWatch New(bool status) => new(null!, CallerOf(user, session), new LiveInterest([job], status), new Nobody());
        var (first, second) = (New(false), New(true));
        subscriptions.Add(first);
        subscriptions.Add(second);
        Assert.Equal([job], subscriptions.Take(10)[0].Ask.Statuses);
        subscriptions.Remove(second);
        // Disposed twice is left once.
        subscriptions.Remove(second);
        Assert.True(subscriptions.MarkJob(job));
        Assert.Empty(subscriptions.Take(10)[0].Ask.Statuses);
        subscriptions.Remove(first);
        Assert.False(subscriptions.MarkJob(job));
        Assert.Empty(subscriptions.Take(10));
    }

    [Theory]
    [InlineData(5, 4, true)]
    [InlineData(999, 998, true)]
    [InlineData(998, 1000, false)]
    [InlineData(5000, 4990, false)]
    [InlineData(5000, 4950, true)]
    public void A_place_is_reported_exactly_up_to_a_thousand_and_beyond_when_it_is_one_percent_another(int before, int after, bool isReported)
    {
        var subscriptions = new LiveSubscriptions();
        var places = new Places();
        var job = Wait(subscriptions, places, before);
        subscriptions.NotePlaces(null, [new(job, after)], subscriptions.Readings).ForEach(call => call());
        Assert.Equal(isReported ? [(job, after)] : [], places.Reported);
        // Once.
        Assert.Empty(subscriptions.NotePlaces(null, [new(job, after)], subscriptions.Readings));
    }

    [Fact]
    public void A_place_that_was_read_before_a_newer_status_is_not_reported_after_it()
    {
        var subscriptions = new LiveSubscriptions();
        var places = new Places();
        var before = subscriptions.Readings;
        var job = Wait(subscriptions, places, 4);
        Assert.Empty(subscriptions.NotePlaces(null, [new(job, 9)], before));
        subscriptions.NotePlaces(null, [new(job, 3)], subscriptions.Readings).ForEach(call => call());
        Assert.Equal([(job, 3)], places.Reported);
    }

    [Fact]
    public void Of_many_places_that_change_at_once_those_that_change_most_are_reported_and_the_others_next()
    {
        const int jobs = 3000;
        var subscriptions = new LiveSubscriptions();
        var places = new Places();
        var waiting = Enumerable.Range(1, jobs).Select(place => Wait(subscriptions, places, place)).ToList();
        var after = waiting.Select((job, number) => new JobPlace(job, (number + 1) / 2)).ToList();
        // The half of a place is reported to each; nearer the front it is the more of a change.
        subscriptions.NotePlaces(null, after, subscriptions.Readings).ForEach(call => call());
        Assert.Equal(2000, places.Reported.Count);
        subscriptions.NotePlaces(null, after, subscriptions.Readings).ForEach(call => call());
        Assert.Equal(jobs, places.Reported.Count);
        Assert.Equal(after.Select(each => (each.JobId, each.Place)).Order(), places.Reported.Order());
        Assert.Empty(subscriptions.NotePlaces(null, after, subscriptions.Readings));
    }

    [Fact]
    public void Who_wants_rows_too_or_has_two_sessions_is_not_the_usual_case()
    {
        var (user, session, job) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var subscriptions = new LiveSubscriptions();
        LiveWatch Add(Guid of, LiveInterest interest)
        {
            var watch = new LiveWatch(null!, CallerOf(user, of), interest, new Nobody());
            subscriptions.Add(watch);
            return watch;
        }
        bool IsPlain() => Assert.Single(subscriptions.Take(10)).Ask.IsPlain;
        Add(session, new([job], WantsStatus: true));
        Assert.True(IsPlain());
        foreach (var interest in (LiveInterest[])[new([job]), new([], AllJobs: true), new([], Profile: true)])
        {
            var more = Add(session, interest);
            subscriptions.MarkJob(job);
            Assert.False(IsPlain());
            subscriptions.Remove(more);
            subscriptions.MarkJob(job);
            Assert.True(IsPlain());
        }
        Add(Guid.NewGuid(), new([job], WantsStatus: true));
        Assert.False(IsPlain());
        // A session has ended somewhere: there is nothing to read but that.
        subscriptions.MarkSessions(new HashSet<Guid> { session });
        Assert.False(IsPlain());
    }

    /// <summary>One user more whose job waits at a place.</summary>
    private static Guid Wait(LiveSubscriptions subscriptions, ILiveListener listener, int place)
    {
        var (user, job) = (Guid.NewGuid(), Guid.NewGuid());
        subscriptions.Add(new(null!, CallerOf(user, Guid.NewGuid()), new LiveInterest([job], WantsStatus: true), listener));
        var reading = subscriptions.Take(1);
        LiveRead[] rows = [new(reading[0].Ask.Number, "status", job, null, $$"""{"queue_position":{{place}}}""")];
        subscriptions.Apply(reading, rows.ToLookup(row => row.Ask), isListening: true, DateTime.UtcNow);
        return job;
    }

    private sealed class Places : ILiveListener
    {
        public List<(Guid Job, int Place)> Reported { get; } = [];

        public void OnPlace(LiveWatch watch, Guid jobId, int place) => Reported.Add((jobId, place));

        public void OnEnd(LiveWatch watch, string reason) { }
    }

    private sealed class Asked
    {
        public int Times { get; set; }
    }

    /// <summary>Jobs that count how often somebody asks whether one of them is a given one.</summary>
    private sealed class AskedJobs(Asked asked, int count) : IReadOnlyCollection<Guid>, ICollection<Guid>
    {
        private readonly HashSet<Guid> _jobs = [.. Enumerable.Range(0, count).Select(_ => Guid.NewGuid())];

        public int Count => _jobs.Count;
        public bool IsReadOnly => true;

        public bool Contains(Guid item)
        {
            asked.Times++;
            return _jobs.Contains(item);
        }

        public IEnumerator<Guid> GetEnumerator()
        {
            asked.Times++;
            return _jobs.GetEnumerator();
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

        public void Add(Guid item) => throw new NotSupportedException();

        public void Clear() => throw new NotSupportedException();

        public void CopyTo(Guid[] array, int arrayIndex) => _jobs.CopyTo(array, arrayIndex);

        public bool Remove(Guid item) => throw new NotSupportedException();
    }

    private static Caller CallerOf(Guid user, Guid session) =>
        new("authenticated", user, $$"""{"role":"authenticated","sub":"{{user}}","session_id":"{{session}}"}""");
}
