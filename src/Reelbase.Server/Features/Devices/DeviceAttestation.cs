using System.Buffers.Text;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Integrations.Apple.AppAttest;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Devices;

/// <summary>What App Attest on the phone made for this very request.</summary>
/// <param name="KeyId">What <c>generateKey</c> gave (base64 of 32 bytes).</param>
/// <param name="Challenge">From <c>POST /device-challenge</c>; good for one use.</param>
/// <param name="Attestation">What <c>attestKey</c> gave, base64; for a key's first use.</param>
/// <param name="Assertion">What <c>generateAssertion</c> gave, base64; for every later one. Exactly one of the two is sent.</param>
public sealed record AppAttestRequest(string? KeyId = null, string? Challenge = null, string? Attestation = null, string? Assertion = null)
{
    public AppAttestRequest()
        : this(null, null, null, null) { }
}

/// <summary>Verifies <c>app_attest</c> of a device-check. What keys may open is decided in SQL, with the opening itself.</summary>
public sealed class DeviceAttestation(
    ApiDatabase database,
    AppAttestVerifier verifier,
    SessionService sessions,
    CallerResolver callers,
    IOptions<AppAttestOptions> options,
    TimeProvider clock,
    ILogger<DeviceAttestation> logger
)
{
    private const int MaxChallengeLength = 100;
    private static readonly Meter Meter = new("Reelbase.Devices");
    private static readonly Counter<long> Checks = Meter.CreateCounter<long>(
        "reelbase.app_attest.checks",
        "{check}",
        "App Attest objects that were verified, by kind and outcome"
    );

    /// <summary>Whether app_attest is verified.</summary>
    public bool IsOn => options.Value.EffectivePolicy != AppAttestOptions.Off;

    /// <summary>The hash under which a challenge is kept.</summary>
    public static byte[] Hash(string challenge) => SHA256.HashData(Encoding.UTF8.GetBytes(challenge));

    /// <summary>What was proven, as SQL reads it (<c>admit_device_key</c>); null when the policy is off.</summary>
    /// <exception cref="ApiException">ERR_4010 for anything that is not what it should be, or where it is missing and required.</exception>
    public async Task<string?> VerifyAsync(HttpContext context, DeviceCheckRequest request)
    {
        if (!IsOn)
        {
            return null;
        }
        var (kind, fields, fault) = request.AppAttest switch
        {
            null when options.Value.EffectivePolicy == AppAttestOptions.Required => ("none", null, "missing"),
            null => ("none", [], null),
            { Attestation: not null, Assertion: null } attest => await VerifyAsync("attestation", context, request, attest),
            { Attestation: null, Assertion: not null } attest => await VerifyAsync("assertion", context, request, attest),
            _ => ("none", null, "form"),
        };
        Checks.Add(1, new("kind", kind), new("outcome", fault ?? "ok"));
        if (fault is not null)
        {
            logger.LogInformation("App Attest: {Kind} refused, {Reason}", kind, fault);
            throw new ApiException(ErrorCodes.InvalidDevice, new { reason = "app_attest" });
        }
        fields!["asks_keys"] = true;
        if (request.AppAttest is not null)
        {
            // What may prove that a key which has not joined is of the device's guest.
            fields["session_id"] = (await callers.ReadAsync(context))?.SessionId;
            if (request.RefreshToken is { } token && sessions.ReadRefreshToken(token) is { } refresh)
            {
                fields["refresh_session_id"] = refresh.SessionId;
                fields["refresh_counter"] = refresh.Counter;
                fields["refresh_hash"] = Convert.ToHexStringLower(refresh.Hash);
            }
        }
        fields["max_keys"] = options.Value.MaxKeysPerDevice;
        return JsonSerializer.Serialize(fields);
    }

    private async Task<(string Kind, Dictionary<string, object?>? Fields, string? Fault)> VerifyAsync(
        string kind,
        HttpContext context,
        DeviceCheckRequest request,
        AppAttestRequest attest
    )
    {
        if (
            Decode(attest.KeyId, AppAttestVerifier.KeyIdLength) is not { Length: AppAttestVerifier.KeyIdLength } keyId
            || Decode(attest.Attestation ?? attest.Assertion, AppAttestVerifier.MaxAttestationBytes) is not { } bytes
            || attest.Challenge is not { Length: > 0 and <= MaxChallengeLength } challenge
        )
        {
            return (kind, null, "form");
        }
        // Used up by whatever comes with it: one challenge is one try.
        var use = await database.ScalarAsync<string>("select use_device_challenge($1)", context.RequestAborted, Hash(challenge));
        if (use != "ok")
        {
            return (kind, null, "challenge_" + use);
        }
        var known = await database.QuerySingleOrDefaultAsync<KnownKey>(
            "select * from find_device_key($1, $2)",
            context.RequestAborted,
            keyId,
            request.DeviceId
        );
        if (known is not null && !known.IsOfDevice)
        {
            return (kind, null, "key_of_another_id");
        }
        var clientDataHash = SHA256.HashData(Encoding.UTF8.GetBytes($"{challenge}.{request.DeviceId}.{request.DeviceToken}"));
        return kind == "attestation" ? Attest(bytes, keyId, clientDataHash) : await AssertAsync(context, request, bytes, keyId, clientDataHash, known);
    }

    private (string, Dictionary<string, object?>?, string?) Attest(byte[] attestation, byte[] keyId, byte[] clientDataHash)
    {
        if (verifier.VerifyAttestation(attestation, keyId, clientDataHash, clock.GetUtcNow(), out var fault) is not { } key)
        {
            return ("attestation", null, fault.Label());
        }
        var fields = new Dictionary<string, object?>
        {
            ["key_id"] = Convert.ToHexStringLower(key.KeyId),
            ["public_key"] = Convert.ToHexStringLower(key.PublicKey),
            ["app_id"] = key.AppId,
            ["environment"] = key.Environment,
            ["category"] = key.Category,
        };
        return ("attestation", fields, null);
    }

    private async Task<(string, Dictionary<string, object?>?, string?)> AssertAsync(
        HttpContext context,
        DeviceCheckRequest request,
        byte[] assertion,
        byte[] keyId,
        byte[] clientDataHash,
        KnownKey? known
    )
    {
        if (known is null)
        {
            return ("assertion", null, "unknown_key");
        }
        var key = new AttestedKey(keyId, known.PublicKey, known.AppId, known.Environment, null);
        if (verifier.VerifyAssertion(assertion, key, clientDataHash, checked((uint)known.Counter), out var fault) is not { } counter)
        {
            return ("assertion", null, fault.Label());
        }
        if (!await database.ScalarAsync<bool>("select raise_device_key_counter($1, $2, $3)", context.RequestAborted, keyId, request.DeviceId, (long)counter))
        {
            return ("assertion", null, AppAttestFault.Counter.Label());
        }
        return ("assertion", new() { ["key_id"] = Convert.ToHexStringLower(keyId) }, null);
    }

    /// <summary>Strict base64 of a bounded length, or null.</summary>
    private static byte[]? Decode(string? text, int maxBytes)
    {
        if (text is not { Length: > 0 } || text.Length > (maxBytes + 2) / 3 * 4 || text.AsSpan().ContainsAny(" \t\r\n") || !Base64.IsValid(text))
        {
            return null;
        }
        return Convert.FromBase64String(text);
    }

    private sealed record KnownKey(byte[] PublicKey, string AppId, string Environment, long Counter, bool IsOfDevice);
}
