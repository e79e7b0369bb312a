using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Timeout;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Integrations;

/// <summary>Hears how calls to providers go; what it does with it is not the caller's business.</summary>
public interface IProviderHealthListener
{
    /// <summary>A call got an answer that shows the provider working.</summary>
    void Answered(string provider);

    /// <summary>So many calls failed that nothing is sent for a while.</summary>
    void CircuitOpened(string provider, double pauseSeconds);

    /// <summary>An attempt ended; <paramref name="fault"/> says how it failed, null that it did not.</summary>
    void Attempted(string provider, string? fault) { }
}

/// <summary>An answer of a provider, read whole.</summary>
public sealed record ProviderResponse(int Status, string Text, HttpResponseHeaders Headers)
{
    /// <summary>2xx.</summary>
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>The body as JSON; an empty object when it is none.</summary>
    public JsonElement Json
    {
        get
        {
            try
            {
                return JsonDocument.Parse(Text.Length == 0 ? "{}" : Text).RootElement;
            }
            catch (JsonException)
            {
                return JsonDocument.Parse("{}").RootElement;
            }
        }
    }

    /// <summary>How long the provider asks to wait.</summary>
    public double? RetryAfterSeconds =>
        Headers.RetryAfter?.Delta?.TotalSeconds ?? (Headers.RetryAfter?.Date is { } date ? Math.Max(0, (date - DateTimeOffset.UtcNow).TotalSeconds) : null);

    /// <summary>A value of one header.</summary>
    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}

/// <summary>A provider gave no complete answer.</summary>
public sealed class ProviderUnreachableException(string reason, Exception inner) : Exception(reason, inner);

/// <summary>
/// Calls one provider: attempts with backoff for everything but submissions, a circuit breaker and a limit of open calls for both,
/// a timeout on each. Every attempt is logged and counted.
/// </summary>
public sealed class ProviderHttp : IDisposable
{
    private const int MaxAnswerBytes = 1024 * 1024;
    private static readonly HttpRequestOptionsKey<string> OperationKey = new("operation");
    private static readonly Meter Meter = new("Reelbase.Providers");
    private static readonly Counter<long> Calls = Meter.CreateCounter<long>("reelbase.provider.calls", "{call}", "Attempts of calls to providers");
    private static readonly Histogram<double> Seconds = Meter.CreateHistogram<double>("reelbase.provider.call.duration", "s", "How long such attempts took");

    private readonly string _provider;
    private readonly VideoProviderOptions _options;
    private readonly IProviderHealthListener _listener;
    private readonly ILogger<ProviderHttp> _logger;
    private readonly HttpClient _reads;
    private readonly HttpClient _submissions;
    private readonly ConcurrencyLimiter[] _open;

    public ProviderHttp(string provider, VideoProviderOptions options, IProviderHealthListener listener, ILogger<ProviderHttp> logger)
    {
        _provider = provider;
        _options = options;
        _listener = listener;
        _logger = logger;
        _open = [NewLimiter(), NewLimiter()];
        // One breaker for both kinds of calls, because a provider that is down for reading is down for submitting; places of its own for
        // each kind, because reads that hang may not hold up a submission.
        var breaker = new ResiliencePipelineBuilder<HttpResponseMessage>().AddCircuitBreaker(NewBreaker()).Build();
        var read = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddTimeout(new HttpTimeoutStrategyOptions { Timeout = TimeSpan.FromSeconds(options.TotalTimeoutSeconds) })
            .AddRetry(NewRetry())
            .AddPipeline(breaker)
            .AddRateLimiter(Places(_open[0]))
            .AddTimeout(new HttpTimeoutStrategyOptions { Timeout = TimeSpan.FromSeconds(options.ReadTimeoutSeconds) })
            .Build();
        var submit = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddPipeline(breaker)
            .AddRateLimiter(Places(_open[1]))
            .AddTimeout(new HttpTimeoutStrategyOptions { Timeout = TimeSpan.FromSeconds(options.SubmitTimeoutSeconds) })
            .Build();
        _reads = NewClient(read, TimeSpan.FromMinutes(2));
        // A new connection for every submission: on a kept one .NET may silently send a request again, and this one must
        // never be sent twice.
        _submissions = NewClient(submit, TimeSpan.Zero);
    }

    /// <summary>
    /// Hands something over, once. A complete error answer of the provider, and a request that never left, mean "not accepted"; no complete
    /// answer, and one that a gateway gives in the provider's place, are ambiguous: the request may have gone through behind it.
    /// </summary>
    public async Task<SubmitOutcome> SubmitAsync(
        HttpRequestMessage request,
        JsonNode body,
        Func<ProviderResponse, SubmitOutcome> read,
        CancellationToken cancellationToken
    )
    {
        var content = new OnceContent(Encoding.UTF8.GetBytes(body.ToJsonString()));
        request.Content = content;
        try
        {
            var answer = await CallAsync(_submissions, "submit", request, cancellationToken);
            CrashPoints.Pass("submission.answered");
            return IsOfAGateway(answer.Status) ? new SubmitOutcome.Ambiguous($"the submission answered {answer.Status}") : read(answer);
        }
        catch (ProviderUnreachableException error)
        {
            return content.IsSent
                ? new SubmitOutcome.Ambiguous($"no complete answer to the submission: {error.Message}")
                : new SubmitOutcome.NotAccepted($"{_provider} was not reached: {error.Message}");
        }
    }

    /// <summary>Whether a status is what proxies say when they lost or did not wait for the true answer; 520 to 527 are Cloudflare's.</summary>
    private static bool IsOfAGateway(int status) => status is 408 or 502 or 504 or (>= 520 and <= 527);

    /// <summary>Any other call; repeated by itself where that can help.</summary>
    /// <exception cref="ProviderUnreachableException">No attempt got a complete answer.</exception>
    public Task<ProviderResponse> SendAsync(string operation, HttpRequestMessage request, CancellationToken cancellationToken) =>
        CallAsync(_reads, operation, request, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _reads.Dispose();
        _submissions.Dispose();
        Array.ForEach(_open, limiter => limiter.Dispose());
    }

    private async Task<ProviderResponse> CallAsync(HttpClient client, string operation, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            request.Options.Set(OperationKey, operation);
            using var response = await client.SendAsync(request, cancellationToken);
            // JSON is UTF-8; the charset that an answer claims may be one that nobody knows.
            var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            var answer = new ProviderResponse((int)response.StatusCode, text.TrimStart('\uFEFF'), response.Headers);
            if (answer.Status < 500 && answer.Status is not (401 or 403 or 408 or 429))
            {
                _listener.Answered(_provider);
            }
            return answer;
        }
        catch (Exception error)
            when (error is HttpRequestException or IOException or TimeoutRejectedException or BrokenCircuitException or RateLimiterRejectedException
                || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            throw new ProviderUnreachableException(Reason(error), error);
        }
        finally
        {
            request.Dispose();
        }
    }

    private ConcurrencyLimiter NewLimiter() => new(new() { PermitLimit = _options.MaxOpenCalls, QueueLimit = _options.MaxWaitingCalls });

    private static HttpRateLimiterStrategyOptions Places(ConcurrencyLimiter limiter) =>
        new() { RateLimiter = arguments => limiter.AcquireAsync(1, arguments.Context.CancellationToken) };

    private HttpRetryStrategyOptions NewRetry() =>
        new()
        {
            MaxRetryAttempts = Math.Max(1, _options.MaxRetries),
            ShouldRetryAfterHeader = false,
            ShouldHandle = arguments =>
                ValueTask.FromResult(
                    _options.MaxRetries > 0
                        && arguments.Outcome switch
                        {
                            { Result: { } response } => (int)response.StatusCode is 408 or 429 or 500 or 502 or 503 or 504,
                            { Exception: HttpRequestException or IOException or TimeoutRejectedException } => true,
                            _ => false,
                        }
                ),
            // 2, 4, 8 ... give or take a fifth; the library's own jitter is another curve, and this replaces its Retry-After.
            DelayGenerator = arguments =>
            {
                var asked = arguments.Outcome.Result is { } response ? new ProviderResponse(0, "", response.Headers).RetryAfterSeconds : null;
                var seconds = asked ?? Backoff.Seconds(arguments.AttemptNumber + 1, _options.RetryBaseSeconds, _options.RetryCapSeconds);
                // A second beyond the total: a pause that ended together with the time for everything might still be followed by an attempt.
                return ValueTask.FromResult<TimeSpan?>(TimeSpan.FromSeconds(Math.Min(seconds, _options.TotalTimeoutSeconds + 1)));
            },
        };

    private HttpCircuitBreakerStrategyOptions NewBreaker() =>
        new()
        {
            FailureRatio = _options.BreakerFailureShare,
            MinimumThroughput = _options.BreakerMinCalls,
            SamplingDuration = TimeSpan.FromSeconds(_options.BreakerWindowSeconds),
            BreakDuration = TimeSpan.FromSeconds(_options.BreakerPauseSeconds),
            ShouldHandle = arguments =>
                ValueTask.FromResult(
                    arguments.Outcome switch
                    {
                        { Result: { } response } => (int)response.StatusCode >= 500,
                        { Exception: HttpRequestException or IOException or TimeoutRejectedException } => true,
                        _ => false,
                    }
                ),
            OnOpened = arguments =>
            {
                _listener.CircuitOpened(_provider, arguments.BreakDuration.TotalSeconds);
                return default;
            },
        };

    private HttpClient NewClient(ResiliencePipeline<HttpResponseMessage> pipeline, TimeSpan connectionLife) =>
        new(
            new ResilienceHandler(pipeline)
            {
                InnerHandler = new AttemptHandler(this)
                {
                    InnerHandler = new SocketsHttpHandler
                    {
                        AllowAutoRedirect = false,
                        UseCookies = false,
                        ConnectTimeout = TimeSpan.FromSeconds(10),
                        PooledConnectionLifetime = connectionLife,
                    },
                },
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };

    private static string Reason(Exception error) =>
        error switch
        {
            HttpRequestException http => http.HttpRequestError.ToString(),
            TimeoutRejectedException or OperationCanceledException => "timeout",
            BrokenCircuitException => "the circuit is open",
            RateLimiterRejectedException => "too many calls are waiting",
            _ => error.GetType().Name,
        };

    /// <summary>One attempt: logged, counted and read to its end, so that a body that breaks off is this attempt's failure.</summary>
    private sealed class AttemptHandler(ProviderHttp owner) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var watch = Stopwatch.StartNew();
            var operation = request.Options.TryGetValue(OperationKey, out var name) ? name : "call";
            var outcome = "timeout";
            string? fault = "no answer in time";
            try
            {
                var response = await base.SendAsync(request, cancellationToken);
                await response.Content.LoadIntoBufferAsync(MaxAnswerBytes, cancellationToken);
                outcome = ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
                fault = Platform.Http.OutsideSystems.Fault(response.StatusCode);
                return response;
            }
            catch (Exception error) when (error is HttpRequestException or IOException)
            {
                fault = outcome = Reason(error);
                throw;
            }
            finally
            {
                owner._listener.Attempted(owner._provider, fault);
                Calls.Add(1, new("provider", owner._provider), new("operation", operation), new("outcome", outcome));
                Seconds.Record(watch.Elapsed.TotalSeconds, new("provider", owner._provider), new("operation", operation));
                owner._logger.LogInformation(
                    "{Provider} {Operation}: {Outcome} after {Milliseconds} ms",
                    owner._provider,
                    operation,
                    outcome,
                    watch.ElapsedMilliseconds
                );
            }
        }
    }

    /// <summary>A body that knows whether it was begun to be sent: before that, nobody can have taken it.</summary>
    private sealed class OnceContent : HttpContent
    {
        private readonly byte[] _bytes;

        public OnceContent(byte[] bytes)
        {
            _bytes = bytes;
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        public bool IsSent { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            IsSent = true;
            return stream.WriteAsync(_bytes).AsTask();
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }
}
