using System.Net;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>The memory of reached limits is bounded and forgets in time; what a crowd asks goes together.</summary>
[Quick]
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

    [Fact]
    public void A_limit_is_remembered_until_its_last_second()
    {
        var clock = new Clock();
        var reached = Reached(clock);
        reached.Add(User, 60);
        clock.Now += TimeSpan.FromSeconds(59);
        Assert.True(reached.Contains(User));
        clock.Now += TimeSpan.FromSeconds(1);
        Assert.False(reached.Contains(User));
    }

    [Fact]
    public void A_full_memory_takes_what_it_knows_anew_and_looks_for_what_is_over_once_in_five_seconds()
    {
        var clock = new Clock();
        var reached = Reached(clock, max: 2);
        var others = Enumerable.Range(0, 3).Select(_ => LimitSubject.Of("a", Guid.NewGuid())).ToList();
        reached.Add(User, 3);
        reached.Add(others[0], 60);
        // Full, and nothing is over: it was looked for just now.
        reached.Add(others[1], 60);
        Assert.False(reached.Contains(others[1]));
        clock.Now += TimeSpan.FromSeconds(4);
        reached.Add(others[1], 60);
        Assert.False(reached.Contains(others[1]));
        reached.Add(others[0], 120);
        clock.Now += TimeSpan.FromSeconds(1);
        reached.Add(others[1], 60);
        Assert.True(reached.Contains(others[1]));
        Assert.Equal(2, reached.Count);
        clock.Now += TimeSpan.FromSeconds(100);
        Assert.True(reached.Contains(others[0]));
    }

    [Fact]
    public void A_memory_of_none_remembers_nothing()
    {
        var reached = Reached(new Clock(), max: 0);
        reached.Add(User, 60);
        Assert.False(reached.Contains(User));
        Assert.Equal(0, reached.Count);
    }

    [Theory]
    [InlineData("RB001", ErrorCodes.RateLimited, """{"scope":"user","retry_after_seconds":60,"limit":3}""", true)]
    [InlineData("RB001", ErrorCodes.RateLimited, """{"scope":"address","retry_after_seconds":60}""", false)]
    [InlineData("RB001", ErrorCodes.RateLimited, """{"scope":null,"retry_after_seconds":60}""", false)]
    [InlineData("RB001", ErrorCodes.RateLimited, """{"retry_after_seconds":60}""", false)]
    [InlineData("RB001", ErrorCodes.RateLimited, """{"scope":"user"}""", false)]
    [InlineData("RB001", ErrorCodes.RateLimited, null, false)]
    [InlineData("RB001", ErrorCodes.Conflict, """{"scope":"user","retry_after_seconds":60}""", false)]
    [InlineData("23505", ErrorCodes.RateLimited, """{"scope":"user","retry_after_seconds":60}""", false)]
    public void Only_a_refusal_by_a_limit_is_remembered_and_every_error_passes_on(string state, string message, string? hint, bool isRemembered)
    {
        var clock = new Clock();
        var reached = Reached(clock);
        var error = new PostgresException(message, "ERROR", "ERROR", state, hint: hint);
        Assert.False(reached.Note(error, scope => scope == "user" ? User : null));
        Assert.Equal(isRemembered, reached.Contains(User));
        clock.Now += TimeSpan.FromSeconds(59);
        Assert.Equal(isRemembered, reached.Contains(User));
        clock.Now += TimeSpan.FromSeconds(1);
        Assert.False(reached.Contains(User));
        Assert.False(reached.Note(new NpgsqlException("the connection broke"), _ => User));
        Assert.False(reached.Contains(User));
    }

    [Theory]
    [InlineData(0, true, true)]
    [InlineData(1, true, false)]
    [InlineData(null, true, false)]
    [InlineData(0, false, false)]
    public void Whoever_took_the_last_place_is_remembered_until_the_window_ends(int? remaining, bool hasEnd, bool isRemembered)
    {
        var clock = new Clock();
        var reached = Reached(clock);
        // A part of a second counts as a whole one.
        reached.Note(User, remaining, hasEnd ? clock.Now.UtcDateTime.AddSeconds(9.5) : null);
        clock.Now += TimeSpan.FromSeconds(9);
        Assert.Equal(isRemembered, reached.Contains(User));
        clock.Now += TimeSpan.FromSeconds(1);
        Assert.False(reached.Contains(User));
    }

    [Fact]
    public void A_refusal_says_the_limit_whom_it_counts_and_when_to_come_back()
    {
        var error = ReachedLimits.Refusal(3, "user", 60);
        Assert.Equal(ErrorCodes.RateLimited, error.Code);
        Assert.Equal("""{"limit":3,"scope":"user","retry_after_seconds":60}""", error.Details!.Value.GetRawText());
        Assert.Same(error, new ErrorResponse(error).Error);
    }

    [Fact]
    public void Whoever_has_no_address_is_one_caller()
    {
        Assert.Equal(LimitSubject.Of("a", IPAddress.None), LimitSubject.Of("a", (IPAddress?)null));
        Assert.NotEqual(LimitSubject.Of("a", IPAddress.None), LimitSubject.Of("a", IPAddress.Any));
    }

    private static readonly LimitSubject User = LimitSubject.Of("a", Guid.NewGuid());

    private static ReachedLimits Reached(Clock clock, int max = 50_000) => new(Options.Create(new FloodOptions { MaxRememberedLimits = max }), clock);

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(60);

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.UtcTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
