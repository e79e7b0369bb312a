using Npgsql;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Sessions.SignIn;

/// <summary>How a sign-in ended.</summary>
public enum SignInOutcome
{
    /// <summary>It is the user in <see cref="SignInResult.UserId"/>.</summary>
    SignedIn,

    /// <summary>The identity token is not Apple's, not for us, or not of now.</summary>
    BadToken,

    /// <summary>The Apple account belongs to a user already.</summary>
    Taken,

    /// <summary>The user is banned.</summary>
    Banned,

    /// <summary>The guest's session has ended, or the guest is gone.</summary>
    NoSession,

    /// <summary>Apple's keys could not be fetched.</summary>
    Unavailable,
}

/// <summary>The result of a sign-in.</summary>
public sealed record SignInResult(SignInOutcome Outcome, Guid UserId);

/// <summary>Signs in with an identity token of Apple: as the Apple account's member, or by linking the account to a guest.</summary>
public sealed class AppleSignIn(ApiDatabase database, AppleTokens tokens, AppleAuthorizations authorizations)
{
    /// <summary>Whether it is offered.</summary>
    public bool IsConfigured => tokens.IsConfigured;

    /// <summary>Checks the token and finds, makes or links the member.</summary>
    /// <param name="idToken">Apple's identity token.</param>
    /// <param name="nonce">What the app made up, if it did.</param>
    /// <param name="authorizationCode">Apple's code, if the app sent it.</param>
    /// <param name="guest">The guest to be linked; null to sign in whoever the account belongs to.</param>
    public async Task<SignInResult> SignInAsync(string? idToken, string? nonce, string? authorizationCode, Caller? guest, CancellationToken cancellationToken)
    {
        AppleIdentity? identity;
        try
        {
            (identity, _) = await tokens.ReadIdentityAsync(idToken, nonce, cancellationToken);
        }
        catch (VendorKeysUnavailableException)
        {
            return new(SignInOutcome.Unavailable, default);
        }
        if (identity is null)
        {
            return new(SignInOutcome.BadToken, default);
        }
        Guid userId;
        if (guest is null)
        {
            Member member;
            try
            {
                member = (
                    await database.QuerySingleOrDefaultAsync<Member>(
                        "select * from sign_in_with_apple($1, $2, $3, $4)",
                        cancellationToken,
                        identity.Subject,
                        identity.Email,
                        identity.TokenHash,
                        identity.ExpiresAt
                    )
                )!;
            }
            catch (PostgresException error) when (error is { SqlState: "RB001", MessageText: ErrorCodes.Unauthorized })
            {
                return new(SignInOutcome.BadToken, default);
            }
            if (member.IsBanned)
            {
                return new(SignInOutcome.Banned, default);
            }
            userId = member.UserId;
        }
        else
        {
            try
            {
                userId = (await LinkAsync(guest, identity, mayMerge: false, cancellationToken)).UserId;
            }
            catch (PostgresException error) when (error.SqlState == "RB001")
            {
                return new(
                    error.MessageText switch
                    {
                        ErrorCodes.Conflict => SignInOutcome.Taken,
                        ErrorCodes.Forbidden => SignInOutcome.Banned,
                        ErrorCodes.Unauthorized when error.Hint?.Contains("bad_id_token", StringComparison.Ordinal) == true => SignInOutcome.BadToken,
                        _ => SignInOutcome.NoSession,
                    },
                    default
                );
            }
        }
        await authorizations.KeepAsync(userId, identity.ClientId, authorizationCode);
        return new(SignInOutcome.SignedIn, userId);
    }

    /// <summary>Makes a guest the member of a verified Apple account, by linking or by merging. Raises as <c>link_apple_identity</c>.</summary>
    public async Task<LinkedAccount> LinkAsync(Caller guest, AppleIdentity identity, bool mayMerge, CancellationToken cancellationToken) =>
        (
            await database.QuerySingleOrDefaultAsync<LinkedAccount>(
                guest,
                "select * from link_apple_identity($1, $2, $3, $4, $5)",
                cancellationToken,
                identity.Subject,
                identity.Email,
                mayMerge,
                identity.TokenHash,
                identity.ExpiresAt
            )
        )!;

    private sealed record Member(Guid UserId, bool IsNew, bool IsBanned);
}

/// <summary>Which account a guest is now.</summary>
/// <param name="Outcome">linked, merged or already.</param>
public sealed record LinkedAccount(Guid UserId, string Outcome);
