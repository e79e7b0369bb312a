using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Reelbase.Server.Integrations.Apple.DeviceCheck;

/// <summary>What Apple answered about a device.</summary>
public abstract record DeviceAnswer
{
    /// <summary>The device's two bits.</summary>
    public sealed record Bits(bool Bit0, bool Bit1) : DeviceAnswer;

    /// <summary>Apple stored what was asked.</summary>
    public sealed record Stored : DeviceAnswer;

    /// <summary>The token is not one of a real device, or it is stale.</summary>
    public sealed record BadToken : DeviceAnswer;

    /// <summary>It could not be learned: never "clear", never "fraud".</summary>
    public sealed record Unknown(string Reason) : DeviceAnswer;
}

/// <summary>Apple's DeviceCheck. Source of the rules: Apple's "Accessing and modifying per-device data".</summary>
public sealed class DeviceCheckClient(IHttpClientFactory clients, IOptions<DeviceCheckOptions> options, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(20);
    private static readonly string[] NeverSet = ["failed to find bit state", "bit state not found"];

    private readonly Lock _gate = new();
    private ECDsa? _key;
    private (string Token, DateTimeOffset MadeAt)? _bearer;

    /// <summary>Reads the two bits. A device that never had any answers with text and not JSON: both are false then.</summary>
    public Task<DeviceAnswer> QueryAsync(string deviceToken, CancellationToken cancellationToken) =>
        CallAsync("query_two_bits", new() { ["device_token"] = deviceToken }, ReadBits, cancellationToken);

    /// <summary>Stores both bits; what an omitted bit would become is not documented, so both are always sent.</summary>
    public Task<DeviceAnswer> UpdateAsync(string deviceToken, bool bit0, bool bit1, CancellationToken cancellationToken) =>
        CallAsync(
            "update_two_bits",
            new()
            {
                ["device_token"] = deviceToken,
                ["bit0"] = bit0,
                ["bit1"] = bit1,
            },
            _ => new DeviceAnswer.Stored(),
            cancellationToken
        );

    /// <inheritdoc/>
    public void Dispose() => _key?.Dispose();

    private async Task<DeviceAnswer> CallAsync(
        string operation,
        Dictionary<string, object> body,
        Func<string, DeviceAnswer> read,
        CancellationToken cancellationToken
    )
    {
        if (!options.Value.IsConfigured)
        {
            return new DeviceAnswer.Unknown("DeviceCheck is not configured");
        }
        // Every request has its own transaction id, also a repeated one.
        body["transaction_id"] = Guid.NewGuid().ToString();
        body["timestamp"] = clock.GetUtcNow().ToUnixTimeMilliseconds();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(options.Value.TimeoutSeconds));
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{options.Value.BaseUrl.TrimEnd('/')}/v1/{operation}")
            {
                Content = JsonContent.Create(body),
                Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Bearer()) },
            };
            using var response = await clients.CreateClient("devicecheck").SendAsync(request, limit.Token);
            var text = (await response.Content.ReadAsStringAsync(limit.Token)).Trim();
            return response.StatusCode switch
            {
                HttpStatusCode.OK => read(text),
                // Only this one 400 is about the device; the others are about our clock, key or request.
                HttpStatusCode.BadRequest when text.Contains("device token", StringComparison.OrdinalIgnoreCase) => new DeviceAnswer.BadToken(),
                _ => new DeviceAnswer.Unknown($"{operation} answered {(int)response.StatusCode}"),
            };
        }
        catch (Exception error)
            when (error is HttpRequestException or IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new DeviceAnswer.Unknown($"{operation}: {error.GetType().Name}");
        }
    }

    private static DeviceAnswer ReadBits(string text)
    {
        if (NeverSet.Any(phrase => text.Contains(phrase, StringComparison.OrdinalIgnoreCase)))
        {
            return new DeviceAnswer.Bits(false, false);
        }
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            return new DeviceAnswer.Bits(root.GetProperty("bit0").GetBoolean(), root.GetProperty("bit1").GetBoolean());
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // An unknown text is not "clear".
            return new DeviceAnswer.Unknown("the answer to query_two_bits has an unknown form");
        }
    }

    private string Bearer()
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            if (_bearer is { } known && now - known.MadeAt < TokenLife)
            {
                return known.Token;
            }
            if (_key is null)
            {
                _key = ECDsa.Create();
                _key.ImportFromPem(options.Value.PrivateKey ?? File.ReadAllText(options.Value.PrivateKeyFile!));
            }
            var token = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
                new SecurityTokenDescriptor
                {
                    Claims = new Dictionary<string, object> { ["iss"] = options.Value.TeamId!, ["iat"] = now.ToUnixTimeSeconds() },
                    SigningCredentials = new(new ECDsaSecurityKey(_key) { KeyId = options.Value.KeyId }, SecurityAlgorithms.EcdsaSha256)
                    {
                        // The default factory remembers signers by key id for the whole process, also after their key is gone.
                        CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
                    },
                }
            );
            _bearer = (token, now);
            return token;
        }
    }
}
