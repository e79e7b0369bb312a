using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Sessions;

/// <summary>A session as the auth API hands it out.</summary>
public sealed record SessionResponse(string AccessToken, string TokenType, int ExpiresIn, long ExpiresAt, string RefreshToken, AuthUser User);

/// <summary>A user as the auth API describes them.</summary>
public sealed record AuthUser(
    Guid Id,
    string Aud,
    string Role,
    string Email,
    string Phone,
    string LastSignInAt,
    IReadOnlyDictionary<string, object> AppMetadata,
    JsonElement UserMetadata,
    IReadOnlyList<AuthIdentity> Identities,
    string CreatedAt,
    string UpdatedAt,
    bool IsAnonymous
);

/// <summary>An account elsewhere that a user signs in with.</summary>
public sealed record AuthIdentity(
    Guid IdentityId,
    string Id,
    Guid UserId,
    IReadOnlyDictionary<string, object> IdentityData,
    string Provider,
    string LastSignInAt,
    string CreatedAt,
    string UpdatedAt,
    string Email
);

/// <summary>
/// Opens and refreshes sessions. A refresh token is made from the session's id and a number with our secret, so the server
/// can hand out the current one again when an answer was lost, although it stores only hashes.
/// </summary>
public sealed class SessionService(
    ApiDatabase database,
    AccessTokens tokens,
    Keys keys,
    IOptions<SecurityOptions> options,
    CallerResolver callers,
    UnverifiedUses uses
)
{
    private static readonly System.Diagnostics.Metrics.Meter Meter = new("Reelbase.Sessions");
    private static readonly System.Diagnostics.Metrics.Counter<long> RefreshFailures = Meter.CreateCounter<long>(
        "reelbase.refresh.failures",
        "{refresh}",
        "Refresh tokens that were refused, by reason"
    );

    private const int MacBytes = 24;
    private readonly byte[] _key = keys.Derive("refresh tokens");

    /// <summary>Opens a session for a user whose identity was just established.</summary>
    public async Task<(SessionResponse Response, SessionUser User)> StartAsync(Guid userId, string method, CancellationToken cancellationToken)
    {
        var sessionId = Guid.NewGuid();
        var refreshToken = RefreshToken(sessionId, 0);
        var user =
            await database.QuerySingleOrDefaultAsync<SessionUser>(
                "select s.*, get_user_metadata(s.user_id) as user_metadata from start_session($1, $2, $3, $4, $5) s",
                cancellationToken,
                userId,
                sessionId,
                method,
                Hash(refreshToken),
                options.Value.MaxSessionsPerUser
            // They have left, or become part of another account, since they were found: what is asked again finds them as they are now.
            ) ?? throw new ApiException(ErrorCodes.DatabaseUnavailable);
        return (ToResponse(user, sessionId, method, refreshToken), user);
    }

    /// <summary>Opens a session for a guest whose phone was just recognised; null when they are no guest any more.</summary>
    public async Task<(SessionResponse Response, SessionUser User)?> StartGuestAsync(Guid userId, CancellationToken cancellationToken)
    {
        var sessionId = Guid.NewGuid();
        var refreshToken = RefreshToken(sessionId, 0);
        var user = await database.QuerySingleOrDefaultAsync<SessionUser>(
            "select s.*, get_user_metadata(s.user_id) as user_metadata from start_guest_session($1, $2, $3, $4) s",
            cancellationToken,
            userId,
            sessionId,
            Hash(refreshToken),
            options.Value.MaxSessionsPerUser
        );
        return user is null ? null : (ToResponse(user, sessionId, "anonymous", refreshToken), user);
    }

    /// <summary>Trades a refresh token for a new pair.</summary>
    /// <returns>The session, or why not: <c>validation_failed</c>, <c>refresh_token_not_found</c>, <c>refresh_token_already_used</c>, <c>session_expired</c>, <c>user_banned</c>.</returns>
    public async Task<(SessionResponse? Response, string? Error)> RefreshAsync(string refreshToken, CancellationToken cancellationToken)
    {
        if (!TryRead(refreshToken, out var sessionId, out var counter))
        {
            return await RefreshFormerAsync(refreshToken, cancellationToken);
        }
        var row = await database.QuerySingleOrDefaultAsync<RefreshRow>(
            "select s.*, get_user_metadata(s.user_id) as user_metadata from refresh_session($1, $2, $3, $4, $5, $6, $7) s",
            cancellationToken,
            sessionId,
            counter,
            Hash(refreshToken),
            Hash(RefreshToken(sessionId, counter + 1)),
            options.Value.RefreshReuseSeconds,
            options.Value.MaxLateRefreshGenerations,
            options.Value.MaxSessionDays
        );
        if (row is not { Outcome: "ok" })
        {
            RefreshFailures.Add(1, new KeyValuePair<string, object?>("reason", row?.Outcome ?? "not_found"));
        }
        return row is { Outcome: "ok" }
            ? (ToResponse(row.ToUser(), sessionId, row.Method!, RefreshToken(sessionId, row.Counter!.Value)), null)
            : (null, Code(row?.Outcome));
    }

    /// <summary>What is not one of ours was never given out here; while the switch for shipped builds is open it may be of the project that the app came from.</summary>
    private async Task<(SessionResponse? Response, string? Error)> RefreshFormerAsync(string refreshToken, CancellationToken cancellationToken)
    {
        if (refreshToken.Length is < 12 or > 4096)
        {
            RefreshFailures.Add(1, new KeyValuePair<string, object?>("reason", "not_ours"));
            return (null, "validation_failed");
        }
        FormerRow? row = null;
        if (callers.AcceptsShippedBuilds)
        {
            var newSession = Guid.NewGuid();
            row = await database.QuerySingleOrDefaultAsync<FormerRow>(
                "select s.*, get_user_metadata(s.user_id) as user_metadata from use_former_refresh_token($1, $2, $3, $4, $5) s",
                cancellationToken,
                Hash(refreshToken),
                newSession,
                Hash(RefreshToken(newSession, 0)),
                options.Value.RefreshReuseSeconds,
                options.Value.MaxSessionsPerUser
            );
        }
        if (row is not { Outcome: "ok" })
        {
            RefreshFailures.Add(1, new KeyValuePair<string, object?>("reason", row is null or { Outcome: "not_found" } ? "not_ours" : row.Outcome));
            return (null, Code(row?.Outcome));
        }
        uses.Add("former_refresh_token");
        return (ToResponse(row.ToUser(), row.SessionId!.Value, row.Method!, RefreshToken(row.SessionId.Value, row.Counter!.Value)), null);
    }

    private static string Code(string? outcome) =>
        outcome switch
        {
            "already_used" => "refresh_token_already_used",
            "revoked" => "session_expired",
            "banned" => "user_banned",
            _ => "refresh_token_not_found",
        };

    /// <summary>The session and generation of one of our refresh tokens, and the hash that is stored of it; null when it is not ours. Nothing is rotated.</summary>
    public (Guid SessionId, int Counter, byte[] Hash)? ReadRefreshToken(string refreshToken) =>
        TryRead(refreshToken, out var sessionId, out var counter) ? (sessionId, counter, Hash(refreshToken)) : null;

    /// <summary>Rotates the session of a caller whose account has just changed, so that the answer carries tokens that say who they are now.</summary>
    /// <returns>The session with its next tokens; null when the caller has none (the switch for shipped builds) or it has ended.</returns>
    public async Task<SessionResponse?> RotateAsync(Guid? sessionId, CancellationToken cancellationToken)
    {
        if (sessionId is not { } id || await database.ScalarAsync<int?>("select get_session_counter($1)", cancellationToken, id) is not { } counter)
        {
            return null;
        }
        return (await RefreshAsync(RefreshToken(id, counter), cancellationToken)).Response;
    }

    /// <summary>The user object of the auth API.</summary>
    public static AuthUser Describe(SessionUser user) =>
        new(
            user.UserId,
            "authenticated",
            "authenticated",
            user.Email ?? "",
            "",
            Json.Time(user.UpdatedAt),
            user.AppleSub is null
                ? new Dictionary<string, object>()
                : new Dictionary<string, object> { ["provider"] = "apple", ["providers"] = new[] { "apple" } },
            user.Metadata,
            user.AppleSub is null ? [] : [Identity(user, user.AppleSub)],
            Json.Time(user.CreatedAt),
            Json.Time(user.UpdatedAt),
            user.IsGuest
        );

    private static AuthIdentity Identity(SessionUser user, string subject) =>
        new(
            user.UserId,
            subject,
            user.UserId,
            new Dictionary<string, object>
            {
                ["sub"] = subject,
                ["email"] = user.Email ?? "",
                ["email_verified"] = user.Email is not null,
            },
            "apple",
            Json.Time(user.UpdatedAt),
            Json.Time(user.CreatedAt),
            Json.Time(user.UpdatedAt),
            user.Email ?? ""
        );

    private SessionResponse ToResponse(SessionUser user, Guid sessionId, string method, string refreshToken)
    {
        var (token, expiresAt) = tokens.Create(new(user.UserId, sessionId, method, user.IsGuest, user.Email, user.Metadata));
        return new(token, "bearer", tokens.LifeSeconds, expiresAt, refreshToken, Describe(user));
    }

    private string RefreshToken(Guid sessionId, int counter)
    {
        var bytes = new byte[16 + 4 + MacBytes];
        sessionId.TryWriteBytes(bytes, bigEndian: true, out _);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), counter);
        HMACSHA256.HashData(_key, bytes.AsSpan(0, 20)).AsSpan(0, MacBytes).CopyTo(bytes.AsSpan(20));
        return Base64UrlEncoder.Encode(bytes);
    }

    private bool TryRead(string token, out Guid sessionId, out int counter)
    {
        sessionId = default;
        counter = 0;
        var bytes = new byte[16 + 4 + MacBytes];
        if (token.Length != 59 || !System.Buffers.Text.Base64Url.IsValid(token, out var length) || length != bytes.Length)
        {
            return false;
        }
        System.Buffers.Text.Base64Url.DecodeFromChars(token, bytes);
        sessionId = new Guid(bytes.AsSpan(0, 16), bigEndian: true);
        counter = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(16));
        return CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(_key, bytes.AsSpan(0, 20)).AsSpan(0, MacBytes), bytes.AsSpan(20));
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private sealed record FormerRow(
        string Outcome,
        Guid? SessionId,
        int? Counter,
        string? Method,
        Guid? UserId,
        string? Email,
        string? AppleSub,
        bool? IsGuest,
        int? CreditsRemaining,
        DateTime? CreatedAt,
        DateTime? UpdatedAt,
        string? UserMetadata
    )
    {
        public SessionUser ToUser() =>
            new(UserId!.Value, Email, AppleSub, IsGuest!.Value, CreditsRemaining!.Value, CreatedAt!.Value, UpdatedAt!.Value, UserMetadata!);
    }

    private sealed record RefreshRow(
        string Outcome,
        int? Counter,
        string? Method,
        Guid? UserId,
        string? Email,
        string? AppleSub,
        bool? IsGuest,
        int? CreditsRemaining,
        DateTime? CreatedAt,
        DateTime? UpdatedAt,
        string? UserMetadata
    )
    {
        public SessionUser ToUser() =>
            new(UserId!.Value, Email, AppleSub, IsGuest!.Value, CreditsRemaining!.Value, CreatedAt!.Value, UpdatedAt!.Value, UserMetadata!);
    }
}

/// <summary>A user as the session functions answer them.</summary>
public sealed record SessionUser(
    Guid UserId,
    string? Email,
    string? AppleSub,
    bool IsGuest,
    int CreditsRemaining,
    DateTime CreatedAt,
    DateTime UpdatedAt,
    string UserMetadata
)
{
    /// <summary>What the app keeps about its user.</summary>
    public JsonElement Metadata => JsonDocument.Parse(UserMetadata).RootElement;
}
