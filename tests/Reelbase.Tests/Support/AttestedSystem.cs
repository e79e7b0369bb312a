using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.AppAttest;
using Reelbase.Simulators.Apple;

namespace Reelbase.Tests.Support;

/// <summary>The classes that share a product with App Attest, one after another.</summary>
[CollectionDefinition("app attest")]
public sealed class AttestedCollection : ICollectionFixture<AttestedSystem>;

/// <summary>The product with App Attest switched on, and the authority that certifies pretend phones' keys.</summary>
public class AttestedSystem : TestSystem
{
    /// <summary>The app id of the tests.</summary>
    public const string AppId = "SIMULATED1." + BundleId;

    private readonly Lazy<AppAttestAuthority> _authority;

    public AttestedSystem() => _authority = new(() => AppAttestAuthority.Below(Simulators.Services.GetRequiredService<AppleAuthority>().Root));

    /// <summary>Certifies keys.</summary>
    public AppAttestAuthority Authority => _authority.Value;

    protected override Dictionary<string, string?> Settings =>
        new()
        {
            ["AppAttest:TeamId"] = "SIMULATED1",
            ["AppAttest:BundleIds:0"] = BundleId,
            ["AppAttest:TestRootCertificateFile"] = Path.Combine(DataDirectory, "apple-root.cer"),
            ["AppAttest:MaxKeysPerDevice"] = "3",
            ["AppAttest:ChallengesPerWindow"] = "-1",
            ["Devices:QuestionsPerWindow"] = "-1",
        };

    /// <summary>A new key in a phone.</summary>
    public PhoneKey NewKey() => new(Authority, AppId);

    /// <summary>Something to sign.</summary>
    public async Task<string> ChallengeAsync()
    {
        using var http = Anybody();
        var answer = await ApiResponse.ReadAsync(await http.PostAsync("/device-challenge", null));
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.Status);
        return answer["challenge"].GetString()!;
    }

    /// <summary>What the phone passes to App Attest.</summary>
    public static byte[] ClientDataHash(string challenge, string deviceId, string token) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{challenge}.{deviceId}.{token}"));

    /// <summary>A device-check that brings a new key.</summary>
    public async Task<ApiResponse> AttestAsync(PhoneKey key, string deviceId, string? token = null, string? refreshToken = null, string? bearer = null)
    {
        token ??= Phone.TokenOf(deviceId);
        var challenge = await ChallengeAsync();
        return await CheckAsync(
            deviceId,
            token,
            Attested(key, challenge, key.Attest(ClientDataHash(challenge, deviceId, token)).Build()),
            refreshToken,
            bearer
        );
    }

    /// <summary>A device-check that a known key signs.</summary>
    public async Task<ApiResponse> AssertAsync(PhoneKey key, string deviceId, string? token = null, string? refreshToken = null)
    {
        token ??= Phone.TokenOf(deviceId);
        var challenge = await ChallengeAsync();
        return await CheckAsync(deviceId, token, Asserted(key, challenge, key.Assert(ClientDataHash(challenge, deviceId, token))), refreshToken);
    }

    /// <summary>The field with an attestation.</summary>
    public static object Attested(PhoneKey key, string challenge, byte[] attestation) =>
        new
        {
            key_id = key.KeyId,
            challenge,
            attestation = Convert.ToBase64String(attestation),
        };

    /// <summary>The field with an assertion.</summary>
    public static object Asserted(PhoneKey key, string challenge, byte[] assertion) =>
        new
        {
            key_id = key.KeyId,
            challenge,
            assertion = Convert.ToBase64String(assertion),
        };

    /// <summary>A device-check with whatever is said of App Attest.</summary>
    public async Task<ApiResponse> CheckAsync(string deviceId, string token, object? appAttest, string? refreshToken = null, string? bearer = null)
    {
        using var http = Anybody();
        if (bearer is not null)
        {
            http.DefaultRequestHeaders.Authorization = new("Bearer", bearer);
        }
        var body = JsonSerializer.Serialize(
            new
            {
                device_id = deviceId,
                device_token = token,
                app_attest = appAttest,
                refresh_token = refreshToken,
            }
        );
        return await ApiResponse.ReadAsync(await http.PostAsync("/device-check", new StringContent(body, Encoding.UTF8, "application/json")));
    }
}
