using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Integrations.Apple.AppStore;

/// <summary>What Apple answered.</summary>
public abstract record AppStoreResponse
{
    /// <summary>The body.</summary>
    public sealed record Found(JsonElement Body, string Environment) : AppStoreResponse;

    /// <summary>Apple knows no such transaction.</summary>
    public sealed record NotFound : AppStoreResponse;

    /// <summary>Apple says that the question itself is wrong.</summary>
    public sealed record Refused(long Code) : AppStoreResponse;

    /// <summary>It could not be learned now; says nothing about the transaction.</summary>
    /// <param name="IsUnauthorized">Apple refuses our token (401): the key, our clock, or an app that was never released.</param>
    /// <param name="IsUnreadable">Apple answered, and nobody can read it.</param>
    public sealed record Unavailable(
        string Reason,
        double? RetryAfterSeconds = null,
        bool IsOurFault = false,
        bool IsUnauthorized = false,
        bool IsUnreadable = false
    ) : AppStoreResponse;
}

/// <summary>Hears of what an operator has to see to.</summary>
public interface IAppStoreHealthListener
{
    /// <summary>The App Store's answers are not what they should be.</summary>
    /// <param name="environment">Production or Sandbox.</param>
    /// <param name="cause">key, clock or unreadable.</param>
    /// <param name="message">For the operator.</param>
    Task ReportAsync(string environment, string cause, string message);
}

/// <summary>Apple's App Store Server API. Source of the rules: Apple's documents of that name, "Error codes" and "Identifying rate limits".</summary>
public sealed class AppStoreClient(
    IHttpClientFactory clients,
    IOptions<AppStoreOptions> options,
    IAppStoreHealthListener listener,
    TimeProvider clock,
    ILogger<AppStoreClient> logger
) : IDisposable
{
    /// <summary>The name of its HTTP client.</summary>
    public const string ClientName = "app-store";

    private const string Production = "Production";
    private const string Sandbox = "Sandbox";
    private const long TransactionNotFound = 4_040_010;
    private const long OriginalTransactionNotFound = 4_040_005;
    private const double MaxRetryAfterSeconds = 3600;
    private const int TokenLifeSeconds = 300;

    /// <summary>How far our clock may be ahead of Apple's, or behind it, before that is why a token is refused.</summary>
    private const double ClockAheadSeconds = 90;
    private const double ClockBehindSeconds = 240;
    private static readonly HashSet<long> Retryable = [4_040_002, 4_040_004, 4_040_006, 5_000_001];

    private readonly AppleKey _key = new(options.Value.PrivateKey, options.Value.PrivateKeyFile, options.Value.KeyId);

    /// <summary>Whether Apple can be asked.</summary>
    public bool IsConfigured => options.Value.CanAsk;

    /// <summary>
    /// One transaction, as a signed one; looked for in production first, and in the sandbox only when production says that it knows none. Until an app's
    /// first release production answers 401, which is when App Review buys in the sandbox: where such purchases count
    /// (<paramref name="acceptSandbox"/>), it is asked then too. Its answer is signed and names its environment; that it knows none says nothing then.
    /// </summary>
    public async Task<AppStoreResponse> FindTransactionAsync(string transactionId, bool acceptSandbox, CancellationToken cancellationToken)
    {
        var path = $"/inApps/v1/transactions/{Uri.EscapeDataString(transactionId)}";
        var answer = await GetAsync(Production, path, cancellationToken);
        var isUnauthorized = acceptSandbox && answer is AppStoreResponse.Unavailable { IsUnauthorized: true };
        // Nothing else says anything about the environment: not a rate limit, not a timeout.
        if (answer is not AppStoreResponse.NotFound && !isUnauthorized)
        {
            return answer;
        }
        var other = await GetAsync(Sandbox, path, cancellationToken);
        return isUnauthorized && other is (AppStoreResponse.NotFound or AppStoreResponse.Unavailable) ? answer : other;
    }

    /// <summary>A page of refunds of whoever bought a transaction, oldest first.</summary>
    public Task<AppStoreResponse> FindRefundsAsync(string environment, string transactionId, string? revision, CancellationToken cancellationToken) =>
        GetAsync(environment, $"/inApps/v2/refund/lookup/{Uri.EscapeDataString(transactionId)}{Query("revision", revision)}", cancellationToken);

    /// <summary>A page of the history of whoever bought a transaction, finished consumables too.</summary>
    public Task<AppStoreResponse> FindHistoryAsync(string environment, string transactionId, string? revision, CancellationToken cancellationToken) =>
        GetAsync(environment, $"/inApps/v2/history/{Uri.EscapeDataString(transactionId)}{Query("revision", revision)}", cancellationToken);

    /// <summary>A page of the notifications that Apple has sent or tried to.</summary>
    public Task<AppStoreResponse> FindNotificationsAsync(
        string environment,
        DateTimeOffset from,
        DateTimeOffset to,
        string? paginationToken,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            environment,
            HttpMethod.Post,
            $"/inApps/v1/notifications/history{Query("paginationToken", paginationToken)}",
            new Dictionary<string, object> { ["startDate"] = from.ToUnixTimeMilliseconds(), ["endDate"] = to.ToUnixTimeMilliseconds() },
            cancellationToken
        );

    /// <summary>Sends Apple, on its request and with the customer's consent, how much of a purchase was used.</summary>
    public Task<AppStoreResponse> SendConsumptionAsync(string environment, string transactionId, object consumption, CancellationToken cancellationToken) =>
        SendAsync(environment, HttpMethod.Put, $"/inApps/v2/transactions/consumption/{Uri.EscapeDataString(transactionId)}", consumption, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    private Task<AppStoreResponse> GetAsync(string environment, string path, CancellationToken cancellationToken) =>
        SendAsync(environment, HttpMethod.Get, path, null, cancellationToken);

    private async Task<AppStoreResponse> SendAsync(string environment, HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        if (!IsConfigured)
        {
            return new AppStoreResponse.Unavailable("the App Store is not configured", IsOurFault: true);
        }
        for (var attempt = 1; ; attempt++)
        {
            var (answer, mayRetry) = await TryAsync(environment, method, path, body, cancellationToken);
            if (!mayRetry || attempt > options.Value.MaxRetries)
            {
                return answer;
            }
            await Task.Delay(TimeSpan.FromSeconds(Backoff.Seconds(attempt, options.Value.RetryBaseSeconds, 10)), clock, cancellationToken);
        }
    }

    private async Task<(AppStoreResponse Response, bool MayRetry)> TryAsync(
        string environment,
        HttpMethod method,
        string path,
        object? body,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(options.Value.TimeoutSeconds));
        var host = environment == Production ? options.Value.ProductionUrl : options.Value.SandboxUrl;
        try
        {
            using var request = new HttpRequestMessage(method, host.TrimEnd('/') + path)
            {
                Headers = { Authorization = new AuthenticationHeaderValue("Bearer", NewToken()), Accept = { new("application/json") } },
                Content = body is null ? null : JsonContent.Create(body),
            };
            using var response = await clients.CreateClient(ClientName).SendAsync(request, limit.Token);
            var text = await response.Content.ReadAsStringAsync(limit.Token);
            if (response.IsSuccessStatusCode)
            {
                using var document = JsonDocument.Parse(text.Length == 0 ? "{}" : text);
                return document.RootElement.ValueKind == JsonValueKind.Object
                    ? (new AppStoreResponse.Found(document.RootElement.Clone(), environment), false)
                    : (new AppStoreResponse.Unavailable("the answer is no JSON object", IsUnreadable: true), true);
            }
            if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            {
                return (await RefusedAsync(environment, (int)response.StatusCode, response.Headers.Date), false);
            }
            return Read((int)response.StatusCode, ErrorCode(text), response.Headers);
        }
        catch (JsonException)
        {
            return (new AppStoreResponse.Unavailable("the answer is no JSON", IsUnreadable: true), true);
        }
        catch (Exception error)
            when (error is HttpRequestException or IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (new AppStoreResponse.Unavailable(error.GetType().Name), true);
        }
    }

    /// <summary>Our token is refused. Apple's own time distinguishes a clock that is wrong from a key that is.</summary>
    private async Task<AppStoreResponse> RefusedAsync(string environment, int status, DateTimeOffset? theirs)
    {
        var ahead = theirs is { } date ? (clock.GetUtcNow() - date).TotalSeconds : 0;
        var isClock = status == 401 && (ahead > ClockAheadSeconds || -ahead > ClockBehindSeconds);
        var message =
            isClock
                ? $"The App Store ({environment}) refuses our token, and our clock is {Math.Abs(ahead):0} s {(ahead > 0 ? "ahead of" : "behind")} Apple's: set the time of this host (NTP). Claims of purchases wait meanwhile."
            : environment == Production && status == 401
                ? "The App Store (Production) refuses our token, and our clock is right: either the key is wrong (AppStore:IssuerId, KeyId, PrivateKey, BundleId), or the app has not been released yet (Apple's production answers so until its first release). Claims of purchases wait meanwhile."
            : $"The App Store ({environment}) refuses our key (AppStore:IssuerId, KeyId, PrivateKey, BundleId; answered {status}). Claims of purchases wait meanwhile.";
        logger.LogCritical("{Message}", message);
        await listener.ReportAsync(environment, isClock ? "clock" : "key", message);
        return new AppStoreResponse.Unavailable($"answered {status}", IsOurFault: true, IsUnauthorized: status == 401);
    }

    private (AppStoreResponse, bool) Read(int status, long? code, HttpResponseHeaders headers)
    {
        switch (status)
        {
            case 429:
                return (new AppStoreResponse.Unavailable("rate limit", RetryAfterSeconds(headers)), false);
            case 404 when code is TransactionNotFound or OriginalTransactionNotFound:
                return (new AppStoreResponse.NotFound(), false);
            case 400 or 404 when code is { } known && !Retryable.Contains(known):
                return (new AppStoreResponse.Refused(known), false);
            default:
                return (new AppStoreResponse.Unavailable($"answered {status} {code}"), status >= 500 || (code is { } other && Retryable.Contains(other)));
        }
    }

    /// <summary>Apple gives the time at which to come back, in milliseconds since 1970, where others give seconds to wait.</summary>
    private double? RetryAfterSeconds(HttpResponseHeaders headers) =>
        headers.TryGetValues("Retry-After", out var values)
        && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            ? Math.Clamp((milliseconds - clock.GetUtcNow().ToUnixTimeMilliseconds()) / 1000.0, 0, MaxRetryAfterSeconds)
            : null;

    private static long? ErrorCode(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Number("errorCode") is { } code ? (long)code : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Query(string name, string? value) => value is null ? "" : $"?{name}={Uri.EscapeDataString(value)}";

    /// <summary>Apple asks for a fresh token for each request.</summary>
    private string NewToken()
    {
        var now = AppleKey.IssuedAt(clock);
        return _key.Sign(
            new()
            {
                ["iss"] = options.Value.IssuerId!,
                ["iat"] = now,
                ["exp"] = now + AppleKey.BackdatedSeconds + TokenLifeSeconds,
                ["aud"] = "appstoreconnect-v1",
                ["bid"] = options.Value.BundleId!,
            }
        );
    }
}
