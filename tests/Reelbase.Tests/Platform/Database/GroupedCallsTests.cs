using System.Threading.Channels;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform.Database;

/// <summary>What is asked together goes together: whoever is alone waits for nobody, and nobody has another's answer.</summary>
public sealed class GroupedCallsTests
{
    private readonly Channel<Statement> _statements = Channel.CreateUnbounded<Statement>();

    private GroupedCalls<int, string> New(int maxUnderWay, int maxWaiting = 1000) =>
        new(
            numbers =>
            {
                var statement = new Statement(numbers, new(TaskCreationOptions.RunContinuationsAsynchronously));
                Assert.True(_statements.Writer.TryWrite(statement));
                return statement.Response.Task;
            },
            maxUnderWay,
            maxWaiting
        );

    private async Task<Statement> NextAsync()
    {
        using var limit = Patience.Limit();
        return await _statements.Reader.ReadAsync(limit.Token);
    }

    private static async Task AssertAnsweredAsync(IEnumerable<int> numbers, IEnumerable<Task<string>> asked) =>
        Assert.Equal(numbers.Select(number => $"{number}"), await Task.WhenAll(asked).WaitAsync(Patience.Span));

    [Fact]
    public async Task Those_who_come_while_statements_are_under_way_go_together_in_the_next()
    {
        var calls = New(2);
        Task<string>[] first = [Ask(calls, -1), Ask(calls, -2)];
        var (one, two) = (await NextAsync(), await NextAsync());
        Assert.Equal([-1, -2], one.Numbers.Concat(two.Numbers));
        const int crowd = GroupedCalls<int, string>.MaxPerCall + 3;
        var others = Enumerable.Range(0, crowd).Select(number => Ask(calls, number)).ToList();
        Assert.False(_statements.Reader.TryPeek(out _));
        one.Answer();
        var third = await NextAsync();
        Assert.Equal(Enumerable.Range(0, GroupedCalls<int, string>.MaxPerCall), third.Numbers);
        two.Answer();
        var fourth = await NextAsync();
        Assert.Equal(crowd - GroupedCalls<int, string>.MaxPerCall, fourth.Numbers.Count);
        fourth.Answer();
        third.Answer();
        await AssertAnsweredAsync([-1, -2], first);
        await AssertAnsweredAsync(Enumerable.Range(0, crowd), others);
        // The places are free again, for whoever comes alone.
        var late = Ask(calls, 7);
        (await NextAsync()).Answer();
        await AssertAnsweredAsync([7], [late]);
    }

    [Fact]
    public async Task Who_leaves_takes_nobody_along_and_no_more_than_so_many_wait()
    {
        var calls = New(1, 2);
        var first = Ask(calls, 1);
        var statement = await NextAsync();
        using var left = new CancellationTokenSource();
        var gone = calls.TryAsk(2, left.Token)!;
        var stays = Ask(calls, 3);
        Assert.Null(calls.TryAsk(4, CancellationToken.None));
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.WaitAsync(Patience.Span));
        statement.Answer();
        var next = await NextAsync();
        Assert.Equal([3], next.Numbers);
        next.Answer();
        await AssertAnsweredAsync([1, 3], [first, stays]);
    }

    [Fact]
    public async Task Places_of_those_who_left_are_free_for_others()
    {
        var calls = New(1, 1);
        var first = Ask(calls, 1);
        var statement = await NextAsync();
        using var left = new CancellationTokenSource();
        _ = calls.TryAsk(2, left.Token);
        Assert.Null(calls.TryAsk(3, CancellationToken.None));
        await left.CancelAsync();
        var third = calls.TryAsk(3, CancellationToken.None);
        Assert.NotNull(third);
        statement.Answer();
        (await NextAsync()).Answer();
        await AssertAnsweredAsync([1, 3], [first, third]);
    }

    [Fact]
    public async Task A_question_that_cannot_be_answered_fails_none_of_those_who_asked_with_it()
    {
        var calls = New(1);
        var first = Ask(calls, 1);
        var statement = await NextAsync();
        Task<string>[] others = [Ask(calls, 2), Ask(calls, 3)];
        statement.Answer();
        var together = await NextAsync();
        Assert.Equal([2, 3], together.Numbers);
        together.Response.SetException(new OverflowException());
        var two = await NextAsync();
        Assert.Equal([2], two.Numbers);
        two.Response.SetException(new OverflowException());
        var three = await NextAsync();
        Assert.Equal([3], three.Numbers);
        three.Answer();
        await Assert.ThrowsAsync<OverflowException>(() => others[0].WaitAsync(Patience.Span));
        await AssertAnsweredAsync([1, 3], [first, others[1]]);
    }

    [Fact]
    public async Task A_statement_that_fails_fails_those_in_it_and_nobody_later()
    {
        var calls = New(1);
        var first = Ask(calls, 1);
        var statement = await NextAsync();
        var second = Ask(calls, 2);
        statement.Response.SetException(new TimeoutException());
        await Assert.ThrowsAsync<TimeoutException>(() => first.WaitAsync(Patience.Span));
        (await NextAsync()).Answer();
        await AssertAnsweredAsync([2], [second]);
    }

    [Fact]
    public async Task Only_the_first_statement_belongs_to_the_request_that_asked_for_it()
    {
        var request = new AsyncLocal<string>();
        var seen = Channel.CreateUnbounded<string?>();
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = new GroupedCalls<int, int>(
            async numbers =>
            {
                seen.Writer.TryWrite(request.Value);
                await goOn.Task;
                return numbers;
            },
            1,
            10
        );
        request.Value = "first";
        var first = calls.TryAsk(1, CancellationToken.None)!;
        request.Value = "second";
        var second = calls.TryAsk(2, CancellationToken.None)!;
        goOn.SetResult();
        var answers = await Task.WhenAll(first, second).WaitAsync(Patience.Span);
        Assert.Equal([1, 2], answers);
        Assert.True(seen.Reader.TryRead(out var one));
        Assert.True(seen.Reader.TryRead(out var two));
        Assert.Equal(("first", null), (one, two));
    }

    private static Task<string> Ask(GroupedCalls<int, string> calls, int number) => calls.TryAsk(number, CancellationToken.None)!;

    private sealed record Statement(IReadOnlyList<int> Numbers, TaskCompletionSource<IReadOnlyList<string>> Response)
    {
        public void Answer() => Response.SetResult(Numbers.Select(number => $"{number}").ToList());
    }
}
