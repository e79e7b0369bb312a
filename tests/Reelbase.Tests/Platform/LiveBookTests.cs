using Reelbase.Server.Features.Live;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>Who is known to watch while others come and go.</summary>
[Quick]
public sealed class LiveBookTests
{
    private sealed class Nobody : ILiveListener
    {
        public void OnEnd(LiveWatch watch, string reason) { }
    }

    [Fact]
    public void A_reading_that_ends_after_its_watcher_left_does_not_forget_whoever_came_meanwhile()
    {
        var (user, job, session) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var book = new LiveBook();
        LiveWatch New() => new(null!, CallerOf(user, session), new LiveInterest([job]), new Nobody());
        var first = New();
        book.Add(first);
        var reading = book.Take(10);
        book.Remove(first);
        book.Add(New());
        book.Apply(reading, Enumerable.Empty<LiveRead>().ToLookup(row => row.Ask), isListening: true, DateTime.UtcNow);
        Assert.Equal(1, book.Watchers);
        Assert.Equal([session], book.Known().Sessions);
        Assert.Equal([job], book.Known().Jobs);
        Assert.True(book.MarkJob(job));
    }

    private static Caller CallerOf(Guid user, Guid session) =>
        new("authenticated", user, $$"""{"role":"authenticated","sub":"{{user}}","session_id":"{{session}}"}""");
}
