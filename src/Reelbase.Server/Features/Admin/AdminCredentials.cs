using System.Net;
using System.Security.Cryptography;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using OtpNet;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Admin;

/// <summary>A new admin's way in, shown once.</summary>
public sealed record NewAdmin(Guid UserId, string Password, string TotpSecret, string TotpUri);

/// <summary>Passwords (the framework's hasher: PBKDF2 with SHA-512) and second factors (TOTP, RFC 6238).</summary>
public sealed class AdminCredentials(Keys keys, TimeProvider clock)
{
    private const int PasswordCharacters = 20;
    private const int SecretBytes = 20;

    /// <summary>One step of 30 s before and after: clocks of phones differ.</summary>
    private static readonly VerificationWindow Window = new(previous: 1, future: 1);

    private static readonly PasswordHasher<object> Hasher = new();

    /// <summary>Checked against when there is no such admin, so that the time taken tells nobody who is one.</summary>
    private static readonly string NobodysHash = Hasher.HashPassword(new(), "nobody");

    private readonly SecretBox _box = new(keys, "admin totp");

    /// <summary>Makes an admin, or gives an existing one new credentials.</summary>
    public async Task<NewAdmin> CreateAsync(AdminDatabase database, string email, string? role)
    {
        // Letters and digits that are not taken for one another.
        var password = RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", PasswordCharacters);
        var secret = Base32Encoding.ToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var id = await database.ScalarAsync<Guid>(
            "select create_admin($1, $2, $3, $4::text)",
            CancellationToken.None,
            email,
            Hasher.HashPassword(new(), password),
            _box.Seal(secret),
            role
        );
        var uri = new OtpUri(OtpType.Totp, secret, email, "Reelbase").ToString();
        return new(id, password, secret, uri);
    }

    /// <summary>Whether a password is the one of a hash; takes as long for nobody.</summary>
    public static bool IsPassword(string? hash, string password) =>
        Hasher.VerifyHashedPassword(new(), hash ?? NobodysHash, password) != PasswordVerificationResult.Failed && hash is not null;

    /// <summary>The time step of a code that is right now, or null.</summary>
    public long? CheckCode(byte[] box, string code) =>
        _box.Open(box) is { } secret && new Totp(Base32Encoding.ToBytes(secret)).VerifyTotp(clock.GetUtcNow().UtcDateTime, code, out var step, Window)
            ? step
            : null;
}

/// <summary>What the database says of an attempt to sign in.</summary>
public sealed record AdminAttempt(bool IsAllowed, bool IsLocked, Guid? UserId, string? Email, string? PasswordHash, byte[]? TotpSecret);

/// <summary>A console session that was opened.</summary>
public sealed record AdminSession(Guid UserId, Guid SessionId, string Email);

/// <summary>
/// Signing in to the console: e-mail, password and a code, each attempt counted. A password costs a core a tenth of a second, so before one is
/// hashed the address has to have attempts left, and few are hashed at a time.
/// </summary>
public sealed class AdminSignIn(ApiDatabase database, AdminCredentials credentials, IOptions<AdminOptions> options) : IDisposable
{
    private const int MaxWaitingHashes = 32;

    private readonly ConcurrencyLimiter _gate = new(
        new()
        {
            PermitLimit = options.Value.MaxConcurrentSignIns,
            QueueLimit = MaxWaitingHashes,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        }
    );

    /// <summary>Opens a console session; none when anything was wrong, which is not said, or when there is no place for an attempt now.</summary>
    public async Task<(AdminSession? Session, bool IsBusy)> TryAsync(
        string email,
        string password,
        string code,
        IPAddress? address,
        CancellationToken cancellationToken
    )
    {
        var network = ClientAddress.Network(address ?? IPAddress.Any);
        var settings = options.Value;
        var attempt = await database.OneOrNoneAsync<AdminAttempt>(
            "select * from open_admin_attempt($1, $2, $3, $4)",
            cancellationToken,
            email,
            network,
            settings.AttemptsPerAddress,
            settings.AttemptWindowSeconds
        );
        if (attempt is not { IsAllowed: true })
        {
            return (null, true);
        }
        if (attempt.IsLocked)
        {
            return (null, false);
        }
        bool isPassword;
        using (var place = await _gate.AcquireAsync(1, cancellationToken))
        {
            if (!place.IsAcquired)
            {
                return (null, true);
            }
            isPassword = AdminCredentials.IsPassword(attempt.PasswordHash, password);
        }
        if (!isPassword || attempt is not { UserId: { } user, Email: { } known, TotpSecret: { } secret } || credentials.CheckCode(secret, code) is not { } step)
        {
            await database.ExecuteAsync(
                "select record_admin_failure($1, $2, $3, $4)",
                CancellationToken.None,
                email,
                network,
                settings.MaxFailedAttempts,
                settings.LockSeconds
            );
            return (null, false);
        }
        var session = Guid.NewGuid();
        return await database.ScalarAsync<bool>("select start_admin_session($1, $2, $3, $4)", cancellationToken, user, session, step, network)
            ? (new(user, session, known), false)
            : (null, false);
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();
}
