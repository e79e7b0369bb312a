using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations.Apple.DeviceCheck;

/// <summary>What Apple answered about a device.</summary>
public abstract record DeviceResponse
{
    /// <summary>The device's two bits.</summary>
    public sealed record Bits(bool Bit0, bool Bit1) : DeviceResponse;

    /// <summary>Apple did what was asked: it stored the bits, or found the token good.</summary>
    public sealed record Stored : DeviceResponse;

    /// <summary>The token is not one of a real device, or it is stale.</summary>
    public sealed record BadToken : DeviceResponse;

    /// <summary>It could not be learned: never "clear", never "fraud".</summary>
    public sealed record Unknown(string Reason) : DeviceResponse;
}

/// <summary>Apple's DeviceCheck. Source of the rules: Apple's "Accessing and modifying per-device data".</summary>
public sealed class DeviceCheckClient(IHttpClientFactory clients, IOptions<DeviceCheckOptions> options, TimeProvider clock) : IDisposable
{
    /// <summary>The name of its HTTP client.</summary>
    public const string ClientName = "devicecheck";

    private static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(20);
    private static readonly string[] NeverSet = ["failed to find bit state", "bit state not found"];

    private readonly AppleKey _key = new(options.Value.PrivateKey, options.Value.PrivateKeyFile, options.Value.KeyId);
    private readonly IosSimulators _simulators = new();
    private readonly Lock _gate = new();
    private (string Token, DateTimeOffset MadeAt)? _bearer;

    // How far Apple's clock is ahead of ours, learned when Apple finds our time wrong.
    private TimeSpan _skew;

    /// <summary>Whether a token can be asked about at all: there is a key, or Apple is not asked about this one.</summary>
    public bool CanAsk(string deviceToken) => options.Value.IsConfigured || SimulatorOf(deviceToken) is not null;

    /// <summary>Reads the two bits. A device that never had any answers with text and not JSON: both are false then.</summary>
    public Task<DeviceResponse> QueryAsync(string deviceToken, CancellationToken cancellationToken) =>
        SimulatorOf(deviceToken) is { } name
            ? Task.FromResult<DeviceResponse>(_simulators.Query(name))
            : CallAsync("query_two_bits", new() { ["device_token"] = deviceToken }, ReadBits, cancellationToken);

    /// <summary>Asks whether a token is one of a real device, and nothing else: <see cref="DeviceResponse.Stored"/> when it is.</summary>
    public Task<DeviceResponse> ValidateAsync(string deviceToken, CancellationToken cancellationToken) =>
        SimulatorOf(deviceToken) is not null
            ? Task.FromResult<DeviceResponse>(new DeviceResponse.Stored())
            : CallAsync("validate_device_token", new() { ["device_token"] = deviceToken }, _ => new DeviceResponse.Stored(), cancellationToken);

    /// <summary>Stores both bits; what an omitted bit would become is not documented, so both are always sent.</summary>
    public Task<DeviceResponse> UpdateAsync(string deviceToken, bool bit0, bool bit1, CancellationToken cancellationToken)
    {
        if (SimulatorOf(deviceToken) is { } name)
        {
            _simulators.Update(name, bit0, bit1);
            return Task.FromResult<DeviceResponse>(new DeviceResponse.Stored());
        }
        return CallAsync(
            "update_two_bits",
            new()
            {
                ["device_token"] = deviceToken,
                ["bit0"] = bit0,
                ["bit1"] = bit1,
            },
            _ => new DeviceResponse.Stored(),
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    /// <summary>The iOS Simulator that a token names, where those are let in: Apple is not asked about it.</summary>
    private string? SimulatorOf(string deviceToken) => options.Value.AcceptIosSimulators ? IosSimulators.NameOf(deviceToken) : null;

    private async Task<DeviceResponse> CallAsync(
        string operation,
        Dictionary<string, object> body,
        Func<string, DeviceResponse> read,
        CancellationToken cancellationToken
    )
    {
        if (!options.Value.IsConfigured)
        {
            return new DeviceResponse.Unknown("DeviceCheck is not configured");
        }
        var answer = await AskAsync(options.Value.BaseUrl, operation, body, read, cancellationToken);
        // Builds from Xcode carry tokens of Apple's development host, which production refuses like any bad token.
        return answer is DeviceResponse.BadToken && options.Value.DevelopmentUrl is { Length: > 0 } development
            ? await AskAsync(development, operation, body, read, cancellationToken)
            : answer;
    }

    /// <summary>Asks one host; once more for each of our token's age and our clock, when Apple did not like it.</summary>
    private async Task<DeviceResponse> AskAsync(
        string host,
        string operation,
        Dictionary<string, object> body,
        Func<string, DeviceResponse> read,
        CancellationToken cancellationToken
    )
    {
        bool hasNewClock = false,
            hasNewToken = false;
        while (true)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(options.Value.TimeoutSeconds));
            // Every request has its own transaction id, also a repeated one.
            body["transaction_id"] = Guid.NewGuid().ToString();
            body["timestamp"] = Now().ToUnixTimeMilliseconds();
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, $"{host.TrimEnd('/')}/v1/{operation}")
                {
                    Content = JsonContent.Create(body),
                    Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Bearer()) },
                };
                using var response = await clients.CreateClient(ClientName).SendAsync(request, limit.Token);
                var text = (await response.Content.ReadAsStringAsync(limit.Token)).Trim();
                switch (response.StatusCode)
                {
                    case HttpStatusCode.OK:
                        return read(text);
                    // Only this one 400 is about the device; the others are about our clock, key or request.
                    case HttpStatusCode.BadRequest when text.Contains("device token", StringComparison.OrdinalIgnoreCase):
                        return new DeviceResponse.BadToken();
                    case HttpStatusCode.BadRequest when text.Contains("time stamp", StringComparison.OrdinalIgnoreCase) && !hasNewClock:
                        hasNewClock = true;
                        LearnSkew(response.Headers.Date);
                        continue;
                    case HttpStatusCode.Unauthorized when !hasNewToken:
                        hasNewToken = true;
                        ForgetBearer();
                        continue;
                    default:
                        return new DeviceResponse.Unknown($"{operation} answered {(int)response.StatusCode}{Clock(response)}");
                }
            }
            catch (Exception error)
                when (error is HttpRequestException or IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                return new DeviceResponse.Unknown($"{operation}: {error.GetType().Name}");
            }
        }
    }

    private static DeviceResponse ReadBits(string text)
    {
        if (NeverSet.Any(phrase => text.Contains(phrase, StringComparison.OrdinalIgnoreCase)) && !text.StartsWith('{'))
        {
            return new DeviceResponse.Bits(false, false);
        }
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            return new DeviceResponse.Bits(root.GetProperty("bit0").GetBoolean(), root.GetProperty("bit1").GetBoolean());
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // An unknown text is not "clear".
            return new DeviceResponse.Unknown("the answer to query_two_bits has an unknown form");
        }
    }

    /// <summary>For the log: whether it is our clock that a refused token is about, or our key.</summary>
    private string Clock(HttpResponseMessage response) =>
        response.StatusCode != HttpStatusCode.Unauthorized || response.Headers.Date is not { } theirs ? ""
        : Math.Abs((clock.GetUtcNow() - theirs).TotalSeconds) is > 90 and var seconds ? $" (our clock is {seconds:0} s off Apple's)"
        : " (our clock is right, so it is the key)";

    private DateTimeOffset Now()
    {
        lock (_gate)
        {
            return clock.GetUtcNow() + _skew;
        }
    }

    private void LearnSkew(DateTimeOffset? theirs)
    {
        lock (_gate)
        {
            _skew = theirs is { } now ? now - clock.GetUtcNow() : TimeSpan.Zero;
            _bearer = null;
        }
    }

    private void ForgetBearer()
    {
        lock (_gate)
        {
            _bearer = null;
        }
    }

    private string Bearer()
    {
        var now = Now();
        lock (_gate)
        {
            if (_bearer is { } known && now - known.MadeAt < TokenLife)
            {
                return known.Token;
            }
            var token = _key.Sign(new() { ["iss"] = options.Value.TeamId!, ["iat"] = now.ToUnixTimeSeconds() - AppleKey.BackdatedSeconds });
            _bearer = (token, now);
            return token;
        }
    }
}
