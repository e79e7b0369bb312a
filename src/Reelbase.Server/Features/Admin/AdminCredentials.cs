using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using OtpNet;
using Reelbase.Server.Platform.Database;
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
    public async Task<NewAdmin> CreateAsync(AdminDatabase database, string email)
    {
        // Letters and digits that are not taken for one another.
        var password = RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", PasswordCharacters);
        var secret = Base32Encoding.ToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var id = await database.ScalarAsync<Guid>(
            "select create_admin($1, $2, $3)",
            CancellationToken.None,
            email,
            Hasher.HashPassword(new(), password),
            _box.Seal(secret)
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

/// <summary>What the database knows of an admin who signs in.</summary>
public sealed record KnownAdmin(Guid UserId, string Email, string PasswordHash, byte[] TotpSecret, bool IsLocked);

/// <summary>Signing in to the console: e-mail, password and a code, each attempt counted.</summary>
public sealed class AdminSignIn(ApiDatabase database, AdminCredentials credentials, IOptions<AdminOptions> options)
{
    /// <summary>Opens a console session; null when anything was wrong, which is not said.</summary>
    public async Task<(Guid UserId, Guid SessionId, string Email)?> TryAsync(string email, string password, string code, CancellationToken cancellationToken)
    {
        var admin = await database.OneOrNoneAsync<KnownAdmin>("select * from find_admin_credentials($1)", cancellationToken, email);
        var isPassword = AdminCredentials.IsPassword(admin?.PasswordHash, password);
        if (admin is null || admin.IsLocked)
        {
            return null;
        }
        if (!isPassword || credentials.CheckCode(admin.TotpSecret, code) is not { } step)
        {
            await database.ExecuteAsync(
                "select note_admin_failure($1, $2, $3)",
                CancellationToken.None,
                admin.UserId,
                options.Value.MaxFailedAttempts,
                options.Value.LockSeconds
            );
            return null;
        }
        var session = Guid.NewGuid();
        return await database.ScalarAsync<bool>("select start_admin_session($1, $2, $3)", cancellationToken, admin.UserId, session, step)
            ? (admin.UserId, session, admin.Email)
            : null;
    }
}
