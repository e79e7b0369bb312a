using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Admin;

/// <summary>What somebody types to prove that they are an admin, and who has signed in from their browser before.</summary>
public sealed record AdminProof(string Email, string Password, string Code, IPAddress? Address, Guid? KnownAs = null);

/// <summary>What the database says of an attempt to sign in.</summary>
public sealed record AdminAttempt(bool IsAllowed, bool IsLocked, bool IsKnown, Guid? UserId, string? Email, string? PasswordHash, byte[]? TotpSecret);

/// <summary>A console session that was opened.</summary>
public sealed record AdminSession(Guid UserId, Guid SessionId, string Email);

/// <summary>
/// Signing in to the console, and choosing a password: e-mail, password and a code, each attempt counted. A password costs a core a fifth of a second,
/// so before one is hashed the address has to have attempts left, and few are hashed at a time. A browser that an admin has signed in with before has
/// places of its own for that admin, so that nobody else fills them.
/// </summary>
public sealed class AdminSignIn(
    ApiDatabase database,
    AdminCredentials credentials,
    AdminPasswords passwords,
    IOptions<AdminOptions> options,
    ILogger<AdminSignIn> logger
) : IDisposable
{
    internal const int MaxWaitingAttempts = 32;

    private readonly ConcurrencyLimiter _strangers = Gate(options.Value.MaxConcurrentSignIns);
    private readonly ConcurrencyLimiter _known = Gate(options.Value.MaxConcurrentSignIns);

    /// <summary>Opens a console session; none when anything was wrong, which is not said, or when there is no place for an attempt now.</summary>
    public async Task<(AdminSession? Session, bool IsBusy)> TryAsync(AdminProof proof, CancellationToken cancellationToken)
    {
        var (proven, isBusy) = await ProveAsync(proof, "sign-in", cancellationToken);
        if (proven is null)
        {
            return (null, isBusy);
        }
        var session = Guid.NewGuid();
        var isOpen = await database.ScalarAsync<bool>(
            "select start_admin_session($1, $2, $3, $4)",
            cancellationToken,
            proven.UserId,
            session,
            proven.Step,
            ClientAddress.Network(proof.Address ?? IPAddress.Any)
        );
        Log("sign-in", isOpen ? "succeeded" : "code_used_or_first_password_over", proven.UserId);
        return isOpen ? (new(proven.UserId, session, proven.Email), false) : (null, false);
    }

    /// <summary>Gives an admin the password that they chose, on the proof of the present one and a code.</summary>
    /// <returns>Null when it is changed; else <c>yes</c> (something was wrong), <c>busy</c>, or why the password may not be chosen.</returns>
    public async Task<string?> ChooseAsync(AdminProof proof, string chosen, string? host, CancellationToken cancellationToken)
    {
        var (proven, isBusy) = await ProveAsync(proof, "password change", cancellationToken);
        if (proven is null)
        {
            return isBusy ? "busy" : "yes";
        }
        if (chosen == proof.Password)
        {
            return "same";
        }
        string hash;
        using (var place = await EnterAsync(proven.IsKnown, cancellationToken))
        {
            if (!place.IsAcquired)
            {
                return "busy";
            }
            // Only now: to check how well a password is chosen takes longer than anything else here.
            if (AdminPasswords.FindFault(chosen, proven.Email, host) is { } fault)
            {
                return fault;
            }
            hash = passwords.Hash(chosen);
        }
        var isChanged = await database.ScalarAsync<bool>(
            "select change_admin_password($1, $2, $3, $4, $5)",
            cancellationToken,
            proven.UserId,
            proven.Hash,
            hash,
            proven.Step,
            ClientAddress.Network(proof.Address ?? IPAddress.Any)
        );
        Log("password change", isChanged ? "succeeded" : "code_used_or_first_password_over", proven.UserId);
        return isChanged ? null : "yes";
    }

    /// <summary>Places for what is costly: so many at a time, and so many that wait.</summary>
    internal static ConcurrencyLimiter Gate(int places) =>
        new(
            new()
            {
                PermitLimit = places,
                QueueLimit = MaxWaitingAttempts,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }
        );

    /// <summary>A place to hash in; not acquired when too many wait for one already.</summary>
    internal ValueTask<RateLimitLease> EnterAsync(bool isKnown, CancellationToken cancellationToken) =>
        (isKnown ? _known : _strangers).AcquireAsync(1, cancellationToken);

    /// <summary>How many attempts of browsers that nobody knows wait for a place.</summary>
    internal long Waiting => _strangers.GetStatistics()!.CurrentQueuedCount;

    /// <summary>Counts a failed attempt of an account at an address, whatever it was made with.</summary>
    internal Task CountFailureAsync(string email, IPAddress network) =>
        database.ExecuteAsync(
            "select record_admin_failure($1, $2, $3, $4)",
            CancellationToken.None,
            email,
            network,
            options.Value.MaxFailedAttempts,
            options.Value.LockSeconds
        );

    /// <inheritdoc/>
    public void Dispose()
    {
        _strangers.Dispose();
        _known.Dispose();
    }

    private async Task<(Proven? Proven, bool IsBusy)> ProveAsync(AdminProof proof, string what, CancellationToken cancellationToken)
    {
        var network = ClientAddress.Network(proof.Address ?? IPAddress.Any);
        var settings = options.Value;
        var attempt = await database.QuerySingleOrDefaultAsync<AdminAttempt>(
            "select * from open_admin_attempt($1, $2, $3, $4, $5, $6, $7)",
            cancellationToken,
            proof.Email,
            network,
            settings.AttemptsPerAddress,
            settings.AttemptWindowSeconds,
            proof.KnownAs,
            settings.MaxFailedAttempts,
            settings.LockSeconds
        );
        if (attempt is not { IsAllowed: true })
        {
            Log(what, "address_over_limit", null);
            return (null, true);
        }
        if (attempt.IsLocked)
        {
            Log(what, "locked", null);
            return (null, false);
        }
        bool isPassword;
        string? renewed = null;
        using (var place = await EnterAsync(attempt.IsKnown, cancellationToken))
        {
            if (!place.IsAcquired)
            {
                Log(what, "no_place", null);
                return (null, true);
            }
            (isPassword, var isOutdated) = passwords.Check(attempt.PasswordHash, proof.Password);
            renewed = isOutdated ? passwords.Hash(proof.Password) : null;
        }
        if (
            !isPassword
            || attempt is not { UserId: { } user, Email: { } known, PasswordHash: { } hash, TotpSecret: { } secret }
            || credentials.CheckCode(secret, proof.Code) is not { } step
        )
        {
            Log(
                what,
                attempt.UserId is null ? "unknown_account"
                    : isPassword ? "wrong_code"
                    : "wrong_password",
                attempt.UserId
            );
            await CountFailureAsync(proof.Email, network);
            return (null, false);
        }
        if (renewed is not null)
        {
            await database.ExecuteAsync("select renew_admin_password_hash($1, $2, $3)", CancellationToken.None, user, hash, renewed);
        }
        return (new(user, known, renewed ?? hash, step, attempt.IsKnown), false);
    }

    /// <summary>Every attempt is written down, by ids of ours: what was typed and where from is nobody's to read.</summary>
    private void Log(string what, string outcome, Guid? admin) =>
        logger.Log(
            outcome == "succeeded" ? LogLevel.Information : LogLevel.Warning,
            "Admin {What} by password and code: {Outcome} (admin {AdminId})",
            what,
            outcome,
            admin?.ToString() ?? "unknown"
        );

    private sealed record Proven(Guid UserId, string Email, string Hash, long Step, bool IsKnown);
}
