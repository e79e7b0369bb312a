using System.Net;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>The memory of reached limits is bounded and forgets in time; what a crowd asks goes together.</summary>
public sealed class ReachedLimitsTests
{
    [Fact]
    public void The_memory_holds_so_many_limits_and_no_more_until_some_are_over()
    {
        var clock = new Clock();
        var reached = new ReachedLimits(Options.Create(new FloodOptions { MaxRememberedLimits = 3 }), clock);
        var users = Enumerable.Range(0, 5).Select(_ => LimitSubject.Of("a", Guid.NewGuid())).ToList();
        users.ForEach(user => reached.Add(user, 60));
        Assert.Equal(3, reached.Count);
        Assert.Equal([true, true, true, false, false], users.Select(reached.Contains));
        clock.Now += TimeSpan.FromSeconds(61);
        Assert.DoesNotContain(users, reached.Contains);
        reached.Add(users[4], 60);
        Assert.True(reached.Contains(users[4]));
        Assert.Equal(1, reached.Count);
    }

    [Fact]
    public void Addresses_of_one_network_are_one_and_actions_are_kept_apart()
    {
        var reached = new ReachedLimits(Options.Create(new FloodOptions()), new Clock());
        reached.Add(LimitSubject.Of("a", IPAddress.Parse("2001:db8:1:1::1")), 60);
        reached.Add(LimitSubject.Of("a", IPAddress.Parse("::ffff:192.0.2.1")), 60);
        Assert.True(reached.Contains(LimitSubject.Of("a", IPAddress.Parse("2001:db8:1:1:ffff::2"))));
        Assert.True(reached.Contains(LimitSubject.Of("a", IPAddress.Parse("192.0.2.1"))));
        Assert.False(reached.Contains(LimitSubject.Of("a", IPAddress.Parse("2001:db8:1:2::1"))));
        Assert.False(reached.Contains(LimitSubject.Of("b", IPAddress.Parse("192.0.2.1"))));
    }

    [Fact]
    public async Task Whatever_is_asked_while_a_statement_is_under_way_goes_together_in_the_next()
    {
        var (begun, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var calls = new BatchedCalls<int, string>(
            async numbers =>
            {
                begun.TrySetResult();
                await goOn.Task;
                return numbers.Select(number => $"{number}").ToList();
            },
            300
        );
        var first = calls.TryAsk(-1)!;
        await begun.Task.WaitAsync(Patience.Span);
        var others = Enumerable.Range(0, 300).Select(number => calls.TryAsk(number)!).ToList();
        Assert.Null(calls.TryAsk(300));
        goOn.SetResult();
        Assert.Equal("-1", await first.WaitAsync(Patience.Span));
        Assert.Equal(Enumerable.Range(0, 300).Select(number => $"{number}"), await Task.WhenAll(others).WaitAsync(Patience.Span));
        Assert.Equal(2, calls.Calls);
    }

    [Fact]
    public async Task A_statement_that_fails_fails_those_who_asked_and_nobody_later()
    {
        var isBroken = true;
        var calls = new BatchedCalls<int, int>(numbers => isBroken ? throw new TimeoutException() : Task.FromResult<IReadOnlyList<int>>(numbers), 300);
        await Assert.ThrowsAsync<TimeoutException>(() => calls.TryAsk(1)!.WaitAsync(Patience.Span));
        isBroken = false;
        Assert.Equal(2, await calls.TryAsk(2)!.WaitAsync(Patience.Span));
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.UtcTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
