using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Integrations.Apple.Apns;

/// <summary>A push as Apple's service takes it.</summary>
/// <param name="Environment">production or sandbox, where the token belongs.</param>
/// <param name="CollapseId">A later push of the same id takes the place of an earlier one.</param>
public sealed record ApnsPush(Guid Id, string Token, string Environment, bool IsBackground, string CollapseId, DateTimeOffset ExpiresAt, object Payload);

/// <summary>What Apple said to a push.</summary>
public abstract record ApnsResponse
{
    /// <summary>Apple took it.</summary>
    public sealed record Taken : ApnsResponse;

    /// <summary>No phone has this token any more, since the given time when Apple says it.</summary>
    public sealed record Gone(string Reason, DateTimeOffset? Since) : ApnsResponse;

    /// <summary>This host does not know the token: it is malformed or belongs to the other environment.</summary>
    public sealed record UnknownToken : ApnsResponse;

    /// <summary>It never will be taken as it is: our payload, topic or key.</summary>
    public sealed record Refused(string Reason, bool IsOurSetup) : ApnsResponse;

    /// <summary>Later, after at least so many seconds.</summary>
    public sealed record Later(string Reason, double Seconds) : ApnsResponse;
}

/// <summary>
/// Apple's push service over HTTP/2. Source of the rules: Apple's "Sending notification requests to APNs" and "Handling notification responses from
/// APNs".
/// </summary>
public sealed class ApnsClient : IDisposable
{
    private const int MaxPayloadBytes = 4096;
    private const int MaxAnswerBytes = 64 * 1024;
    private const double ServerTroubleSeconds = 900;
    private const double BusyTokenSeconds = 30;
    private const double NetworkTroubleSeconds = 5;

    /// <summary>
    /// Apple refuses tokens over an hour old and, from one key, more than one new token in twenty minutes. Every process rounds its clock to the
    /// same mark, so that all make the very same token at the same time.
    /// </summary>
    private const long TokenSeconds = 2400;

    private static readonly string[] OurSetup =
    [
        "BadTopic",
        "MissingTopic",
        "TopicDisallowed",
        "DeviceTokenNotForTopic",
        "InvalidProviderToken",
        "MissingProviderToken",
        "UnrelatedKeyIdInToken",
        "BadEnvironmentKeyIdInToken",
        "BadEnvironmentKeyInToken",
        "Forbidden",
        "BadCertificate",
        "BadCertificateEnvironment",
    ];

    /// <summary>Its name among the outside systems.</summary>
    public const string SystemName = "push";

    private readonly ApnsOptions _options;
    private readonly TimeProvider _clock;
    private readonly AppleKey _key;
    private readonly AppleKey? _sandboxKey;
    private readonly HttpClient _http;
    private readonly Lock _gate = new();
    private readonly Dictionary<bool, (string Token, long Mark)> _bearers = [];

    public ApnsClient(IOptions<ApnsOptions> options, TimeProvider clock, OutsideSystems outside)
    {
        _options = options.Value;
        _clock = clock;
        _key = new(_options.PrivateKey, _options.PrivateKeyFile, _options.KeyId);
        _sandboxKey = _options.HasSandboxKey ? new(_options.SandboxPrivateKey, _options.SandboxPrivateKeyFile, _options.SandboxKeyId) : null;
        // One long-lived connection to each host; Apple takes frequent new ones for an attack.
        _http = new HttpClient(
            new OutsideHandler(outside, SystemName)
            {
                InnerHandler = new SocketsHttpHandler
                {
                    EnableMultipleHttp2Connections = true,
                    KeepAlivePingDelay = TimeSpan.FromSeconds(60),
                    KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
                    PooledConnectionIdleTimeout = TimeSpan.FromMinutes(30),
                    ConnectTimeout = TimeSpan.FromSeconds(5),
                    AllowAutoRedirect = false,
                },
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };
    }

    /// <summary>Whether pushes can be sent.</summary>
    public bool IsConfigured => _options.IsConfigured;

    /// <summary>Sends one push.</summary>
    public async Task<ApnsResponse> SendAsync(ApnsPush push, CancellationToken cancellationToken)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(push.Payload);
        if (payload.Length > MaxPayloadBytes)
        {
            return new ApnsResponse.Refused("PayloadTooLarge", false);
        }
        var answer = await TryAsync(push, payload, cancellationToken);
        if (answer is ApnsResponse.Refused { Reason: "ExpiredProviderToken" })
        {
            // Our clock and Apple's differ: a token of this very second, once.
            lock (_gate)
            {
                _bearers.Clear();
            }
            answer = await TryAsync(push, payload, cancellationToken, isFresh: true);
        }
        return answer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _key.Dispose();
        _sandboxKey?.Dispose();
    }

    private async Task<ApnsResponse> TryAsync(ApnsPush push, byte[] payload, CancellationToken cancellationToken, bool isFresh = false)
    {
        var host = push.Environment == "sandbox" ? _options.SandboxUrl : _options.ProductionUrl;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(_options.TimeoutSeconds));
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{host.TrimEnd('/')}/3/device/{push.Token}")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(payload),
            };
            request.Headers.TryAddWithoutValidation("authorization", "bearer " + Bearer(push.Environment, isFresh));
            request.Headers.TryAddWithoutValidation("apns-id", push.Id.ToString());
            request.Headers.TryAddWithoutValidation("apns-topic", _options.Topic);
            request.Headers.TryAddWithoutValidation("apns-push-type", push.IsBackground ? "background" : "alert");
            request.Headers.TryAddWithoutValidation("apns-priority", push.IsBackground ? "5" : "10");
            request.Headers.TryAddWithoutValidation(
                "apns-expiration",
                push.ExpiresAt.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture)
            );
            request.Headers.TryAddWithoutValidation("apns-collapse-id", push.CollapseId);
            using var response = await _http.SendAsync(request, limit.Token);
            return response.StatusCode == HttpStatusCode.OK
                ? new ApnsResponse.Taken()
                : Read((int)response.StatusCode, await response.Content.ReadAsStringAsync(limit.Token));
        }
        catch (Exception error)
            when (error is HttpRequestException or IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new ApnsResponse.Later(error.GetType().Name, NetworkTroubleSeconds);
        }
    }

    private static ApnsResponse Read(int status, string text)
    {
        string? reason = null;
        DateTimeOffset? since = null;
        try
        {
            using var document = JsonDocument.Parse(text);
            reason = document.RootElement.Text("reason");
            // A time that no calendar has says no more than none.
            since = document.RootElement.Number("timestamp") is { } time and > 0 and < 1e14 ? DateTimeOffset.FromUnixTimeMilliseconds((long)time) : null;
        }
        catch (JsonException)
        {
            // Whatever stood in between has answered; the status alone has to do.
        }
        reason ??= $"answered {status}";
        return (status, reason) switch
        {
            (410, _) => new ApnsResponse.Gone(reason, since),
            (400, "BadDeviceToken") => new ApnsResponse.UnknownToken(),
            (429, "TooManyProviderTokenUpdates") => new ApnsResponse.Later(reason, ServerTroubleSeconds),
            (429, _) => new ApnsResponse.Later(reason, BusyTokenSeconds),
            (>= 500, _) => new ApnsResponse.Later(reason, ServerTroubleSeconds),
            _ => new ApnsResponse.Refused(reason, OurSetup.Contains(reason)),
        };
    }

    /// <summary>Apple's keys may be good for one environment only; each has a token of its own.</summary>
    private string Bearer(string environment, bool isFresh)
    {
        var isSandbox = environment == "sandbox" && _sandboxKey is not null;
        var now = AppleKey.IssuedAt(_clock);
        var mark = now / TokenSeconds;
        lock (_gate)
        {
            if (_bearers.TryGetValue(isSandbox, out var known) && known.Mark == mark)
            {
                return known.Token;
            }
            var token = (isSandbox ? _sandboxKey! : _key).Sign(new() { ["iss"] = _options.TeamId!, ["iat"] = isFresh ? now : mark * TokenSeconds });
            _bearers[isSandbox] = (token, mark);
            return token;
        }
    }
}
