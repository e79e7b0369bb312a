using System.Net;
using Npgsql;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>Readiness is open to everybody and passes the flood gate: a thousand who ask in a second are one question to the database.</summary>
public sealed class ReadinessTests(ReadinessTests.CountingSystem system) : IClassFixture<ReadinessTests.CountingSystem>
{
    private const int Askers = 1000;

    [Fact]
    public async Task A_node_whose_database_does_not_let_the_role_of_the_api_in_is_not_ready()
    {
        // What another test here made of the question must not be what fails.
        await system.CountQuestionsAsync(false);
        var nobody = new NpgsqlConnectionStringBuilder(system.Strings.Api) { Username = "reelbase_nobody" }.ConnectionString;
        await using var node = system.BuildServer(strings: system.Strings with { Api = nobody });
        await node.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        using var answer = await http.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("unreachable", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await node.StopAsync();
    }

    [Theory]
    [InlineData(false, HttpStatusCode.OK)]
    [InlineData(true, HttpStatusCode.ServiceUnavailable)]
    public async Task A_thousand_requests_in_a_second_ask_the_database_once_also_while_it_fails(bool fails, HttpStatusCode status)
    {
        await system.CountQuestionsAsync(fails);
        var clock = new StoppedClock();
        await using var node = system.BuildServer(clock: clock);
        await node.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        async Task AskAsync()
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, Askers).Select(_ => http.GetAsync("/health/ready")));
            Assert.All(answers, answer => Assert.Equal(status, answer.StatusCode));
        }
        await AskAsync();
        Assert.Equal(1, await system.QuestionsAsync());
        clock.Pass(TimeSpan.FromSeconds(0.99));
        await AskAsync();
        Assert.Equal(1, await system.QuestionsAsync());
        clock.Pass(TimeSpan.FromSeconds(0.01));
        await AskAsync();
        Assert.Equal(2, await system.QuestionsAsync());
        await node.StopAsync();
    }

    [Fact]
    public async Task Nobody_hears_ready_a_second_after_it_is_not()
    {
        await system.CountQuestionsAsync(false);
        var clock = new StoppedClock();
        await using var node = system.BuildServer(clock: clock);
        await node.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/ready")).StatusCode);
        await system.CountQuestionsAsync(true);
        clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("/health/ready")).StatusCode);
        await node.StopAsync();
    }

    [Fact]
    public async Task The_age_of_an_answer_counts_from_when_it_was_asked_and_one_that_broke_is_asked_again()
    {
        var clock = new StoppedClock();
        var shared = new SharedResponse<int>(TimeSpan.FromSeconds(1), clock);
        var answer = new TaskCompletionSource<int>();
        var asked = 0;
        var begun = new TaskCompletionSource();
        async Task<(long, int)> AskAsync()
        {
            var askedAt = clock.GetTimestamp();
            asked++;
            begun.TrySetResult();
            return (askedAt, await answer.Task);
        }
        var first = shared.GetAsync(AskAsync);
        var second = shared.GetAsync(AskAsync);
        // It is asked on a thread of the pool: the clock goes on once that has begun.
        await begun.Task;
        clock.Pass(TimeSpan.FromSeconds(0.6));
        answer.SetResult(1);
        Assert.Equal((1, 1), (await first, await second));
        clock.Pass(TimeSpan.FromSeconds(0.39));
        answer = new TaskCompletionSource<int>();
        answer.SetResult(2);
        Assert.Equal(1, await shared.GetAsync(AskAsync));
        clock.Pass(TimeSpan.FromSeconds(0.01));
        Assert.Equal((2, 2), (await shared.GetAsync(AskAsync), asked));

        clock.Pass(TimeSpan.FromSeconds(1));
        answer = new TaskCompletionSource<int>();
        answer.SetException(new IOException("broken"));
        await Assert.ThrowsAsync<IOException>(() => shared.GetAsync(AskAsync));
        answer = new TaskCompletionSource<int>();
        answer.SetResult(3);
        Assert.Equal(3, await shared.GetAsync(AskAsync));
    }

    /// <summary>Time that passes only when a test says so.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public void Pass(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
    }

    /// <summary>A database that counts how often readiness asks it.</summary>
    public sealed class CountingSystem : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Server:Roles:1"] = "api" };

        /// <summary>What readiness asks for counts itself from here on, outside of its transaction; and is refused where it fails.</summary>
        public Task CountQuestionsAsync(bool fails) =>
            ExecuteAsync(
                $"""
                drop sequence if exists questions;
                create sequence questions;
                grant usage on sequence questions to reelbase_owner;
                create or replace function list_outages() returns table (provider text)
                language plpgsql volatile security definer set search_path = public, pg_temp as $f$
                begin
                  perform nextval('questions');
                  {(fails ? "raise exception 'going away' using errcode = '57P01';" : "")}
                end
                $f$
                """
            );

        /// <summary>How often it was asked since.</summary>
        public Task<long> QuestionsAsync() => QueryAsync<long>("select case when is_called then last_value else 0 end from questions");
    }
}
