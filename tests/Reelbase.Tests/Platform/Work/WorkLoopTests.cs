using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What the bases of background work promise, whatever is thrown in them.</summary>
public sealed class WorkLoopTests
{
    private sealed class Item : IClaimed
    {
        public string Kind { get; init; } = "";
        public string ClaimToken { get; set; } = "";
    }

    /// <summary>A loop whose parts are the test's.</summary>
    private sealed class Loop(Dictionary<string, int>? limits = null, int leaseSeconds = 2)
        : WorkLoop<Item>(
            NewFeed(),
            Options.Create(
                new WorkOptions
                {
                    LeaseSeconds = leaseSeconds,
                    IdleMilliseconds = 20,
                    DrainSeconds = 0,
                }
            ),
            NullLogger.Instance
        )
    {
        public Func<int, Loop, List<Item>> Claim { get; init; } = (_, _) => [];
        public Func<Item, CancellationToken, Task> Handle { get; init; } = (_, _) => Task.CompletedTask;
        public Func<Item, Task<bool>> Renew { get; init; } = _ => Task.FromResult(true);
        public ConcurrentQueue<string> GivenBack { get; } = new();
        public ConcurrentQueue<string> Tokens { get; } = new();

        public int Available(string kind) => Places.Available(kind);

        protected override string Topic => "test";

        protected override IReadOnlyDictionary<string, int> Limits => limits ?? base.Limits;

        protected override string KindOf(Item item) => item.Kind;

        protected override Task<List<Item>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken)
        {
            Tokens.Enqueue(claimToken);
            return Task.FromResult(Claim(Tokens.Count, this));
        }

        protected override Task HandleAsync(Item item, CancellationToken cancellationToken) => Handle(item, cancellationToken);

        protected override Task<bool> RenewAsync(Item item, CancellationToken cancellationToken) => Renew(item);

        protected override Task GiveBackAsync(Item item, string reason)
        {
            GivenBack.Enqueue(reason);
            return Task.CompletedTask;
        }

        private static ChangeFeed NewFeed() =>
            new(
                ConnectionStrings.From(new DatabaseOptions(), "Host=127.0.0.1;Database=nowhere;Username=nobody;Password=none"),
                NullLogger<ChangeFeed>.Instance
            );
    }

    private sealed class Rounds(Func<int, Task> round) : PeriodicWork(NullLogger.Instance)
    {
        private int _count;

        protected override TimeSpan Pause => TimeSpan.FromMilliseconds(1);

        protected override Task RunOnceAsync(CancellationToken stoppingToken) => round(++_count);
    }

    [Fact]
    public async Task Every_claim_has_a_token_of_its_own_and_hands_it_to_its_rows()
    {
        var seen = new ConcurrentQueue<string>();
        var third = new TaskCompletionSource();
        using var loop = new Loop
        {
            Claim = (_, _) => [new Item()],
            Handle = (item, _) =>
            {
                seen.Enqueue(item.ClaimToken);
                if (seen.Count >= 3)
                {
                    third.TrySetResult();
                }
                return Task.CompletedTask;
            },
        };
        await loop.StartAsync(CancellationToken.None);
        await third.Task.WaitAsync(Patience.Span);
        await loop.StopAsync(CancellationToken.None);
        // Handlers that the stop did not wait for may still add to it.
        var handed = seen.ToArray();
        Assert.Equal(handed.Length, handed.Distinct().Count());
        Assert.Subset(loop.Tokens.ToHashSet(), handed.ToHashSet());
    }

    [Fact]
    public async Task A_passing_error_of_the_database_does_not_end_the_renewal_of_a_lease()
    {
        var renewals = 0;
        var renewedAgain = new TaskCompletionSource();
        var ended = new TaskCompletionSource<bool>();
        // Half of it is left after the third renewal.
        using var loop = new Loop(leaseSeconds: 12)
        {
            Claim = (count, _) => count == 1 ? [new Item()] : [],
            Renew = _ =>
            {
                if (++renewals <= 2)
                {
                    throw new Npgsql.NpgsqlException("the database is away");
                }
                renewedAgain.TrySetResult();
                return Task.FromResult(true);
            },
            Handle = async (_, cancellationToken) =>
            {
                await renewedAgain.Task.WaitAsync(Patience.Span, CancellationToken.None);
                ended.SetResult(cancellationToken.IsCancellationRequested);
            },
        };
        await loop.StartAsync(CancellationToken.None);
        Assert.False(await ended.Task.WaitAsync(Patience.Span), "the work was broken off while its lease held");
        await loop.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Work_whose_lease_is_surely_over_is_broken_off()
    {
        var brokenOff = new TaskCompletionSource();
        using var loop = new Loop
        {
            Claim = (count, _) => count == 1 ? [new Item()] : [],
            Renew = _ => throw new Npgsql.NpgsqlException("the database is away"),
            Handle = async (_, cancellationToken) =>
            {
                await using var stop = cancellationToken.Register(brokenOff.SetResult);
                await brokenOff.Task;
            },
        };
        await loop.StartAsync(CancellationToken.None);
        await brokenOff.Task.WaitAsync(Patience.Span);
        await loop.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Whatever_is_thrown_in_a_claim_or_a_handler_the_loop_goes_on_and_the_row_is_given_back()
    {
        var handled = new TaskCompletionSource();
        using var loop = new Loop
        {
            Claim = (count, _) => count == 1 ? throw new FormatException("nobody foresaw this") : [new Item { ClaimToken = "" }],
            Handle = (_, _) =>
            {
                handled.TrySetResult();
                throw new InvalidCastException("nor this");
            },
        };
        await loop.StartAsync(CancellationToken.None);
        await handled.Task.WaitAsync(Patience.Span);
        await Eventually.IsAsync(() => Task.FromResult(loop.GivenBack.FirstOrDefault()), reason => reason is not null);
        Assert.False(loop.ExecuteTask!.IsCompleted);
        await loop.StopAsync(CancellationToken.None);
        Assert.False(loop.ExecuteTask.IsFaulted);
        Assert.Contains("InvalidCastException", loop.GivenBack.First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kind_of_work_that_hangs_fills_its_own_places_only()
    {
        var hang = new TaskCompletionSource();
        var quickOnes = 0;
        var five = new TaskCompletionSource();
        using var loop = new Loop(new() { ["slow"] = 2, ["quick"] = 1 })
        {
            Claim = (_, self) =>
                [
                    .. Enumerable.Range(0, self.Available("slow")).Select(_ => new Item { Kind = "slow" }),
                    .. Enumerable.Range(0, self.Available("quick")).Select(_ => new Item { Kind = "quick" }),
                ],
            Handle = async (item, _) =>
            {
                if (item.Kind == "slow")
                {
                    await hang.Task;
                }
                else if (Interlocked.Increment(ref quickOnes) == 5)
                {
                    five.TrySetResult();
                }
            },
        };
        await loop.StartAsync(CancellationToken.None);
        await five.Task.WaitAsync(Patience.Span);
        Assert.Equal(0, loop.Available("slow"));
        hang.SetResult();
        await loop.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Whatever_a_round_of_periodic_work_throws_the_next_one_follows()
    {
        var third = new TaskCompletionSource();
        using var rounds = new Rounds(count =>
            count switch
            {
                1 => throw new InvalidOperationException("nobody foresaw this"),
                2 => throw new UnauthorizedAccessException("lost+found"),
                _ => Task.FromResult(third.TrySetResult()),
            }
        );
        await rounds.StartAsync(CancellationToken.None);
        await third.Task.WaitAsync(Patience.Span);
        await rounds.StopAsync(CancellationToken.None);
        Assert.False(rounds.ExecuteTask!.IsFaulted);
    }
}
