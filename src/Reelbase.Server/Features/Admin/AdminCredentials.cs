using System.Security.Cryptography;
using OtpNet;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Admin;

/// <summary>A new admin's way in, shown once.</summary>
public sealed record NewAdmin(Guid UserId, string Password, string TotpSecret, string TotpUri);

/// <summary>The first password of an admin, and second factors (TOTP, RFC 6238).</summary>
public sealed class AdminCredentials(Keys keys, AdminPasswords passwords, TimeProvider clock)
{
    private const int PasswordCharacters = 20;
    private const int SecretBytes = 20;

    /// <summary>One step of 30 s before and after: clocks of phones differ.</summary>
    private static readonly VerificationWindow Window = new(previous: 1, future: 1);

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
            passwords.Hash(password),
            _box.Seal(secret),
            role
        );
        var uri = new OtpUri(OtpType.Totp, secret, email, "Reelbase").ToString();
        return new(id, password, secret, uri);
    }

    /// <summary>The time step of a code that is right now, or null.</summary>
    public long? CheckCode(byte[] box, string code) =>
        _box.Open(box) is { } secret && new Totp(Base32Encoding.ToBytes(secret)).VerifyTotp(clock.GetUtcNow().UtcDateTime, code, out var step, Window)
            ? step
            : null;
}
