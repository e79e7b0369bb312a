using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Reelbase.Server.Integrations;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>How calls to providers are tried, waited for, counted and broken off, against a service that does as the test says.</summary>
public sealed class ProviderHttpTests : IAsyncLifetime
{
    private string _url = "";
    private readonly ConcurrentQueue<(DateTime At, string Method)> _calls = new();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly Listener _listener = new();
    private Func<HttpContext, int, Task> _answer = (_, _) => Task.CompletedTask;
    private int _open;
    private int _mostOpen;
    private WebApplication _service = null!;

    private sealed class Options : VideoProviderOptions;

    private sealed class Listener : IProviderHealthListener
    {
        public int Opened { get; private set; }
        public int Answers { get; private set; }

        public void Answered(string provider) => Answers++;

        public void CircuitOpened(string provider, double pauseSeconds) => Opened++;
    }

    private sealed class ListLogger(ConcurrentQueue<string> lines) : ILogger<ProviderHttp>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue(formatter(state, exception));
    }

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        _service = builder.Build();
        _service.Urls.Add(TestSystem.AnyPort);
        _service.Run(async context =>
        {
            _calls.Enqueue((DateTime.UtcNow, context.Request.Method));
            var number = _calls.Count;
            var open = Interlocked.Increment(ref _open);
            lock (_calls)
            {
                _mostOpen = Math.Max(_mostOpen, open);
            }
            await _answer(context, number);
            Interlocked.Decrement(ref _open);
        });
        await _service.StartAsync();
        _url = TestSystem.AddressOf(_service);
    }

    public async ValueTask DisposeAsync() => await _service.DisposeAsync();

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_poll_is_tried_again_on_the_listed_answers_with_growing_pauses(int status)
    {
        _answer = Statuses(status, status, status, 200);
        using var http = New(
            new()
            {
                MaxRetries = 3,
                RetryBaseSeconds = 0.1,
                RetryCapSeconds = 0.2,
            }
        );
        Assert.Equal(200, (await PollAsync(http)).Status);
        var times = _calls.Select(call => call.At).ToList();
        var pauses = times.Zip(times.Skip(1), (first, second) => (second - first).TotalSeconds).ToList();
        // 0.1, 0.2, then capped at 0.2; each give or take a fifth, and never less.
        foreach (var (pause, plain) in pauses.Zip([0.1, 0.2, 0.2]))
        {
            Assert.True(pause >= plain * 0.8 - 0.005, $"waited {pause}, planned {plain}");
        }
        Assert.Equal(4, _log.Count(line => line.StartsWith("test poll: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(422)]
    [InlineData(501)]
    public async Task Other_answers_are_taken_as_they_are(int status)
    {
        _answer = Statuses(status, 200);
        using var http = New(new() { MaxRetries = 3, RetryBaseSeconds = 0.01 });
        Assert.Equal(status, (await PollAsync(http)).Status);
        Assert.Single(_calls);
    }

    [Fact]
    public async Task A_provider_that_names_a_pause_is_given_it()
    {
        _answer = (context, number) =>
        {
            context.Response.StatusCode = number == 1 ? 429 : 200;
            context.Response.Headers.RetryAfter = "1";
            return Task.CompletedTask;
        };
        using var http = New(new() { MaxRetries = 1, RetryBaseSeconds = 0.01 });
        Assert.Equal(200, (await PollAsync(http)).Status);
        Assert.True(_calls.Last().At - _calls.First().At >= TimeSpan.FromSeconds(0.99));
    }

    [Fact]
    public async Task A_silent_attempt_is_cut_and_a_broken_one_repeated()
    {
        _answer = async (context, number) =>
        {
            if (number == 1)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            }
            else if (number == 2)
            {
                context.Abort();
            }
        };
        using var http = New(
            new()
            {
                MaxRetries = 3,
                RetryBaseSeconds = 0.01,
                ReadTimeoutSeconds = 1,
            }
        );
        Assert.Equal(200, (await PollAsync(http)).Status);
        // On a machine that stands still a good attempt may be cut too.
        Assert.InRange(_calls.Count, 3, 4);
    }

    [Fact]
    public async Task All_attempts_together_have_a_limit_too()
    {
        _answer = Statuses(503);
        using var http = New(
            new()
            {
                MaxRetries = 10,
                RetryBaseSeconds = 30,
                TotalTimeoutSeconds = 8,
            }
        );
        // Whether the last answer or none is returned, nothing is sent once the time is over.
        var outcome = await Record.ExceptionAsync(() => PollAsync(http));
        Assert.True(outcome is null or ProviderUnreachableException, $"{outcome}");
        Assert.Single(_calls);
    }

    [Theory]
    [InlineData(429, false)]
    [InlineData(500, false)]
    [InlineData(501, false)]
    [InlineData(503, false)]
    [InlineData(519, false)]
    [InlineData(528, false)]
    [InlineData(408, true)]
    [InlineData(502, true)]
    [InlineData(504, true)]
    [InlineData(520, true)]
    [InlineData(521, true)]
    [InlineData(522, true)]
    [InlineData(523, true)]
    [InlineData(524, true)]
    [InlineData(525, true)]
    [InlineData(526, true)]
    [InlineData(527, true)]
    public async Task A_submission_is_sent_once_and_an_answer_of_a_gateway_is_ambiguous(int status, bool isAmbiguous)
    {
        _answer = Statuses(status);
        using var http = New(new() { MaxRetries = 5, RetryBaseSeconds = 0.01 });
        var outcome = await SubmitAsync(http);
        Assert.True(isAmbiguous ? outcome is SubmitOutcome.Ambiguous : outcome is SubmitOutcome.NotAccepted, outcome.ToString());
        Assert.Single(_calls);
    }

    [Fact]
    public async Task The_circuit_opens_after_too_many_failures_and_then_nothing_is_sent()
    {
        _answer = Statuses(503);
        using var http = New(Breaking(600));
        await FailAsync(http);
        await Assert.ThrowsAsync<ProviderUnreachableException>(() => PollAsync(http));
        // Certainly not sent, so it may be tried again later; submissions share the circuit.
        Assert.IsType<SubmitOutcome.NotAccepted>(await SubmitAsync(http));
        Assert.Equal(4, _calls.Count);
    }

    [Fact]
    public async Task The_circuit_closes_when_a_call_after_its_pause_succeeds()
    {
        _answer = Statuses(503);
        using var http = New(Breaking(0.6));
        await FailAsync(http);
        _answer = Statuses(200);
        await Eventually.IsAsync(
            async () =>
            {
                try
                {
                    return (await PollAsync(http)).Status;
                }
                catch (ProviderUnreachableException)
                {
                    return 0;
                }
            },
            status => status == 200
        );
        Assert.Equal(1, _listener.Answers);
    }

    private static Options Breaking(double pauseSeconds) =>
        new()
        {
            MaxRetries = 0,
            BreakerMinCalls = 4,
            BreakerWindowSeconds = 600,
            BreakerPauseSeconds = pauseSeconds,
        };

    private async Task FailAsync(ProviderHttp http)
    {
        for (var number = 0; number < 4; number++)
        {
            await PollAsync(http);
        }
        Assert.Equal(1, _listener.Opened);
    }

    [Fact]
    public async Task Calls_over_the_limit_wait_and_more_than_may_wait_are_refused()
    {
        using var release = new SemaphoreSlim(0);
        _answer = async (_, _) => await release.WaitAsync();
        using var http = New(
            new()
            {
                MaxRetries = 0,
                MaxOpenCalls = 2,
                MaxWaitingCalls = 3,
            }
        );
        var calls = Enumerable.Range(0, 6).Select(_ => PollAsync(http)).ToList();
        await Eventually.IsAsync(() => Task.FromResult(calls.Count(call => call.IsFaulted)), faulted => faulted == 1);
        await Eventually.IsAsync(() => Task.FromResult(Volatile.Read(ref _mostOpen)), most => most == 2);
        release.Release(6);
        await Task.WhenAll(calls.Where(call => !call.IsFaulted));
        Assert.Equal(2, _mostOpen);
        Assert.Equal(5, _calls.Count);
    }

    [Fact]
    public async Task Every_attempt_is_counted_by_provider_operation_and_outcome()
    {
        var counted = new ConcurrentQueue<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "reelbase.provider.calls")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>(
            (_, count, tags, _) =>
            {
                if (tags[0].Value is "test-metrics")
                {
                    counted.Enqueue($"{count} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}");
                }
            }
        );
        listener.Start();
        _answer = Statuses(503, 200);
        using var http = New(new() { MaxRetries = 1, RetryBaseSeconds = 0.01 }, "test-metrics");
        await PollAsync(http);
        Assert.Equal(["1 provider=test-metrics operation=poll outcome=503", "1 provider=test-metrics operation=poll outcome=200"], counted);
    }

    private ProviderHttp New(Options options, string name = "test")
    {
        if (options.BreakerMinCalls == new Options().BreakerMinCalls)
        {
            options.BreakerMinCalls = 1000;
        }
        return new(name, options, _listener, new ListLogger(_log));
    }

    private Task<ProviderResponse> PollAsync(ProviderHttp http) => http.SendAsync("poll", new(HttpMethod.Get, _url), CancellationToken.None);

    private Task<SubmitOutcome> SubmitAsync(ProviderHttp http) =>
        http.SubmitAsync(
            new(HttpMethod.Post, _url),
            new JsonObject(),
            answer => answer.IsSuccess ? new SubmitOutcome.Accepted("x") : new SubmitOutcome.NotAccepted($"{answer.Status}"),
            CancellationToken.None
        );

    private static Func<HttpContext, int, Task> Statuses(params int[] statuses) =>
        (context, number) =>
        {
            context.Response.StatusCode = statuses[Math.Min(number, statuses.Length) - 1];
            return Task.CompletedTask;
        };
}
