using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fido2NetLib;
using Fido2NetLib.Objects;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Admin;

/// <summary>
/// Passkeys (WebAuthn, level 2): a key in an admin's device or in hardware, which signs for the console's own address only and asks its owner for a
/// finger, a face or a PIN. The library checks what was signed; the database keeps the public halves, uses each challenge once, and compares counters.
/// </summary>
public sealed class AdminPasskeys : IDisposable
{
    private const int ChallengeBytes = 32;
    private const int MaxNameLength = 100;
    private const int MaxIdBytes = 1023;

    private readonly ApiDatabase _database;
    private readonly AdminOptions _options;
    private readonly AdminSignIn _signIn;
    private readonly ILogger<AdminPasskeys> _logger;

    /// <summary>Of their own: who fills the places of passwords keeps nobody from a passkey.</summary>
    private readonly System.Threading.RateLimiting.ConcurrencyLimiter _gate;

    private readonly Fido2? _fido;
    private readonly string _host = "";

    public AdminPasskeys(
        ApiDatabase database,
        IOptions<AdminOptions> options,
        IOptions<ServerOptions> server,
        AdminSignIn signIn,
        ILogger<AdminPasskeys> logger
    )
    {
        (_database, _options, _signIn, _logger) = (database, options.Value, signIn, logger);
        _gate = AdminSignIn.Gate(options.Value.MaxConcurrentSignIns);
        if (Address(options.Value, server.Value) is { } address)
        {
            _host = address.IdnHost;
            _fido = new(
                new()
                {
                    RPID = _host,
                    RPName = "Reelbase",
                    Origins = new HashSet<string> { address.IsDefaultPort ? $"{address.Scheme}://{_host}" : $"{address.Scheme}://{_host}:{address.Port}" },
                },
                null
            );
        }
    }

    /// <summary>Whether there can be passkeys here: they belong to a host name, and browsers use them over TLS (or on localhost) only.</summary>
    public bool AreOn => _fido is not null;

    private sealed record Owner(Guid UserId, string Email, string CredentialIds);

    private sealed record Attempt(bool IsAllowed, bool IsChallenge, Guid? UserId, string? Email, byte[]? PublicKey);

    /// <summary>What a browser needs to sign in; null when the address has asked too often.</summary>
    public async Task<string?> ChallengeAsync(IPAddress? address, CancellationToken cancellationToken)
    {
        var fido = Require();
        var challenge = RandomNumberGenerator.GetBytes(ChallengeBytes);
        var isKept = await _database.ScalarAsync<bool>(
            "select open_passkey_challenge($1, $2, $3, $4)",
            cancellationToken,
            SHA256.HashData(challenge),
            ClientAddress.Network(address ?? IPAddress.Any),
            _options.AttemptsPerAddress,
            _options.AttemptWindowSeconds
        );
        if (!isKept)
        {
            return null;
        }
        var options = fido.GetAssertionOptions(new() { UserVerification = UserVerificationRequirement.Required });
        options.Challenge = challenge;
        return options.ToJson();
    }

    /// <summary>Opens a console session for whoever has signed; none when anything was wrong, which is not said, or when there is no place now.</summary>
    public async Task<(AdminSession? Session, bool IsBusy)> SignInAsync(JsonNode? credential, IPAddress? address, CancellationToken cancellationToken)
    {
        var fido = Require();
        var network = ClientAddress.Network(address ?? IPAddress.Any);
        var answer = Read<AuthenticatorAssertionRawResponse>(credential);
        var challenge = ChallengeOf(answer.Response?.ClientDataJson);
        var attempt = await _database.QuerySingleOrDefaultAsync<Attempt>(
            "select * from open_passkey_attempt($1, $2, $3, $4, $5)",
            cancellationToken,
            SHA256.HashData(challenge),
            answer.RawId ?? [],
            network,
            _options.AttemptsPerAddress,
            _options.AttemptWindowSeconds
        );
        if (attempt is not { IsAllowed: true })
        {
            Log("address_over_limit", null);
            return (null, true);
        }
        if (attempt is not { IsChallenge: true, UserId: { } user, Email: { } email, PublicKey: { } key })
        {
            Log(attempt.IsChallenge ? "unknown_or_locked" : "no_such_challenge", null);
            return (null, false);
        }
        VerifyAssertionResult? result = null;
        using (var place = await _gate.AcquireAsync(1, cancellationToken))
        {
            if (!place.IsAcquired)
            {
                Log("no_place", user);
                return (null, true);
            }
            result = await VerifyAsync(fido, answer, challenge, user, key, cancellationToken);
        }
        if (result is not null)
        {
            var session = Guid.NewGuid();
            var isOpen = await _database.ScalarAsync<bool>(
                "select start_passkey_session($1, $2, $3, $4)",
                cancellationToken,
                answer.RawId,
                session,
                (long)result.SignCount,
                network
            );
            if (isOpen)
            {
                Log("succeeded", user);
                return (new(user, session, email), false);
            }
        }
        Log(result is null ? "not_verified" : "removed_or_counts_lower", user);
        await _signIn.CountFailureAsync(email, network);
        return (null, false);
    }

    /// <summary>What a browser needs to make a key for the admin of a console session.</summary>
    public async Task<string> BeginAsync(Caller caller, CancellationToken cancellationToken)
    {
        var fido = Require();
        var challenge = RandomNumberGenerator.GetBytes(ChallengeBytes);
        var owners = await AsCallerAsync(() =>
            _database.ListAsync<Owner>(caller, "select * from open_passkey_registration($1)", cancellationToken, SHA256.HashData(challenge))
        );
        var known = owners[0].CredentialIds.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Convert.FromHexString);
        var options = Options(fido, owners[0].UserId, owners[0].Email, [.. known.Select(id => new PublicKeyCredentialDescriptor(id))]);
        options.Challenge = challenge;
        return options.ToJson();
    }

    /// <summary>Keeps the key that the browser has made.</summary>
    /// <exception cref="ApiException">ERR_4000: it is not what was asked for.</exception>
    public async Task<Guid> AddAsync(Caller caller, string name, JsonNode? credential, CancellationToken cancellationToken)
    {
        var fido = Require();
        if (name.Trim() is not { Length: > 0 and <= MaxNameLength } trimmed || Json.NullIfUnstorable(trimmed) is null)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "name", "length");
        }
        var answer = Read<AuthenticatorAttestationRawResponse>(credential);
        var challenge = ChallengeOf(answer.Response?.ClientDataJson);
        var isOurs = await AsCallerAsync(() =>
            _database.ListAsync<bool>(caller, "select take_passkey_challenge($1)", cancellationToken, SHA256.HashData(challenge))
        );
        if (!isOurs[0])
        {
            throw Wrong("challenge");
        }
        var options = Options(fido, caller.UserId!.Value, "", []);
        options.Challenge = challenge;
        RegisteredPublicKeyCredential made;
        try
        {
            made = await fido.MakeNewCredentialAsync(
                new()
                {
                    AttestationResponse = answer,
                    OriginalOptions = options,
                    // The database says so when it is known, in the transaction that would add it.
                    IsCredentialIdUniqueToUserCallback = (_, _) => Task.FromResult(true),
                },
                cancellationToken
            );
        }
        catch (Exception error) when (IsRefusal(error))
        {
            throw Wrong("not_verified", error);
        }
        if (made.Id.Length > MaxIdBytes)
        {
            throw Wrong("id");
        }
        var ids = await AsCallerAsync(() =>
            _database.ListAsync<Guid>(caller, "select add_passkey($1, $2, $3, $4)", cancellationToken, trimmed, made.Id, made.PublicKey, (long)made.SignCount)
        );
        return ids[0];
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private async Task<VerifyAssertionResult?> VerifyAsync(
        Fido2 fido,
        AuthenticatorAssertionRawResponse answer,
        byte[] challenge,
        Guid user,
        byte[] publicKey,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // Nobody has said who they are, so the key has to (WebAuthn, 7.2, step 6).
            if (answer.Response?.UserHandle is not { } handle || !handle.AsSpan().SequenceEqual(user.ToByteArray()))
            {
                return null;
            }
            return await fido.MakeAssertionAsync(
                new()
                {
                    AssertionResponse = answer,
                    OriginalOptions = new()
                    {
                        Challenge = challenge,
                        RpId = _host,
                        AllowCredentials = [],
                        UserVerification = UserVerificationRequirement.Required,
                    },
                    StoredPublicKey = publicKey,
                    // The counter is compared where it is kept (start_passkey_session), so that two attempts at once cannot both be right.
                    StoredSignatureCounter = 0,
                    IsUserHandleOwnerOfCredentialIdCallback = (_, _) => Task.FromResult(true),
                },
                cancellationToken
            );
        }
        catch (Exception error) when (IsRefusal(error))
        {
            return null;
        }
    }

    /// <summary>Every attempt is written down, by ids of ours.</summary>
    private void Log(string outcome, Guid? admin) =>
        _logger.Log(
            outcome == "succeeded" ? LogLevel.Information : LogLevel.Warning,
            "Admin sign-in by passkey: {Outcome} (admin {AdminId})",
            outcome,
            admin?.ToString() ?? "unknown"
        );

    private static CredentialCreateOptions Options(Fido2 fido, Guid user, string email, IReadOnlyList<PublicKeyCredentialDescriptor> known) =>
        fido.RequestNewCredential(
            new()
            {
                User = new()
                {
                    Id = user.ToByteArray(),
                    Name = email,
                    DisplayName = email,
                },
                ExcludeCredentials = known,
                AuthenticatorSelection = new() { ResidentKey = ResidentKeyRequirement.Required, UserVerification = UserVerificationRequirement.Required },
                // Any maker's key will do; what it says about itself is not asked for.
                AttestationPreference = AttestationConveyancePreference.None,
                PubKeyCredParams = [PubKeyCredParam.ES256, PubKeyCredParam.Ed25519, PubKeyCredParam.RS256],
            }
        );

    private Fido2 Require() => _fido ?? throw new ApiException(ErrorCodes.MalformedRequest, new { reason = "passkeys_are_off" }, status: 404);

    /// <summary>The console's address, when keys can belong to it.</summary>
    private static Uri? Address(AdminOptions options, ServerOptions server) =>
        Uri.TryCreate(options.PublicUrl is { Length: > 0 } own ? own : server.PublicUrl, UriKind.Absolute, out var address)
        && address.HostNameType == UriHostNameType.Dns
        && (address.Scheme == Uri.UriSchemeHttps || address.IsLoopback)
            ? address
            : null;

    private static T Read<T>(JsonNode? credential)
        where T : class
    {
        try
        {
            return credential.Deserialize<T>() ?? throw Wrong("missing");
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            throw Wrong("not_a_credential", error);
        }
    }

    /// <summary>What was signed says which challenge it answers; whether that is one of ours, the database knows.</summary>
    private static byte[] ChallengeOf(byte[]? clientData)
    {
        try
        {
            using var document = JsonDocument.Parse(clientData ?? []);
            return System.Buffers.Text.Base64Url.DecodeFromChars(document.RootElement.GetProperty("challenge").GetString());
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            throw Wrong("not_a_credential", error);
        }
    }

    /// <summary>What the library throws about bytes of strangers: its own errors, and those of the readers below it.</summary>
    private static bool IsRefusal(Exception error) =>
        error
            is Fido2VerificationException
                or CryptographicException
                or System.Formats.Cbor.CborContentException
                or ArgumentException
                or FormatException
                or InvalidOperationException
                or InvalidCastException
                or KeyNotFoundException
                or NotSupportedException
                or JsonException
                or IndexOutOfRangeException
                or OverflowException
                or EndOfStreamException;

    private static ApiException Wrong(string reason, Exception? inner = null) => new(ErrorCodes.MalformedRequest, new { field = "credential", reason }, inner);

    private static async Task<T> AsCallerAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (NpgsqlException error)
        {
            throw DatabaseErrors.Translate(error);
        }
    }
}
