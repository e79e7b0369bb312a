using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Security;

/// <summary>Finds out who asks. The bearer token decides; a <c>user_id</c> beside it may only agree.</summary>
public sealed class CallerResolver(AccessTokens tokens, ApiDatabase database, IOptions<ServerOptions> options, UnverifiedUses uses, TimeProvider clock)
{
    private const int MaxUserIdLength = 255;

    /// <summary>The topic on which a change of what a user may do is published: streams that are open check again at once.</summary>
    public static string TopicOf(Guid userId) => $"user:{userId}";

    /// <summary>Whether the switch for shipped builds is open now.</summary>
    public bool AcceptsShippedBuilds => options.Value.AcceptsShippedBuilds(clock);

    /// <summary>The signed-in caller.</summary>
    /// <param name="context">The request.</param>
    /// <param name="claimedUserId">A <c>user_id</c> from the body; the query's is read by itself.</param>
    /// <exception cref="ApiException">ERR_4005 without a good token, ERR_4006 for somebody else's id, ERR_4007 for an unknown one.</exception>
    public async Task<Caller> RequireUserAsync(HttpContext context, string? claimedUserId = null)
    {
        var caller = await ReadAsync(context);
        var query = context.Request.Query["user_id"].FirstOrDefault();
        var claimed = claimedUserId ?? query;
        if (claimed is { Length: > MaxUserIdLength } || (claimed is not null && Http.Json.NullIfUnstorable(claimed) is null))
        {
            throw new ApiException(ErrorCodes.NotFound, new { what = "user" });
        }
        if (caller is not { UserId: { } userId })
        {
            if (AcceptsShippedBuilds && claimed is not null)
            {
                return Remember(context, await ClaimUnverifiedAsync(context, claimed));
            }
            throw NoUser(context);
        }
        foreach (var id in new[] { claimedUserId, query })
        {
            // An empty user_id names nobody, which is not the same as not naming anybody.
            if (id is not null && !id.Equals(userId.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                await database.ExecuteAsync(caller, "select match_user_id($1)", context.RequestAborted, id);
            }
        }
        return caller;
    }

    /// <summary>The error for a request whose token names no user.</summary>
    public static ApiException NoUser(HttpContext context) =>
        new(ErrorCodes.Unauthorized, new { reason = context.Request.Headers.Authorization.Count > 0 ? "invalid_token" : "no_token" });

    /// <summary>The caller if they said who they are with a good token, else null or the anonymous one.</summary>
    public async Task<Caller?> ReadAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        if (context.Items[typeof(Caller)] is Caller known)
        {
            // Verified when the request came in.
            return known;
        }
        var caller = await tokens.ReadAsync(header[7..].Trim());
        return caller is null ? null : Remember(context, caller);
    }

    /// <summary>The user whom a shipped build means by its id: also the guest whom an install becomes that could not onboard.</summary>
    /// <exception cref="ApiException">ERR_4007 for nobody, ERR_4004 for an address that asks for too many unknown ids.</exception>
    public async Task<Caller> ClaimUnverifiedAsync(HttpContext context, string claimed)
    {
        var limits = options.Value;
        var user = await database.QuerySingleOrDefaultAsync<UnverifiedUser>(
            "select * from claim_unverified_user($1, $2, $3, $4)",
            context.RequestAborted,
            claimed,
            context.Connection.RemoteIpAddress,
            limits.UnverifiedMissesPerHour,
            limits.UnverifiedGuestsPerHour
        );
        uses.Add(
            user switch
            {
                null => "unknown_user_id",
                { IsNew: true } => "new_guest",
                _ => "user_id",
            }
        );
        return user is null ? throw new ApiException(ErrorCodes.NotFound, new { what = "user" }) : Unverified(user.UserId);
    }

    /// <summary>The claims of a user whom nobody has verified; only the switch for shipped builds uses it.</summary>
    /// <param name="claimed">An id of an account, of one that was merged, or of a device.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <param name="kind">What it is for, as it is counted.</param>
    public async Task<Caller> ClaimUnverifiedAsync(string claimed, CancellationToken cancellationToken, string kind = "settings")
    {
        uses.Add(kind);
        return await database.ScalarAsync<Guid?>("select find_user_id($1)", cancellationToken, claimed) is { } userId
            ? Unverified(userId)
            : throw new ApiException(ErrorCodes.NotFound, new { what = "user" });
    }

    private static Caller Unverified(Guid userId) =>
        new(
            "authenticated",
            userId,
            JsonSerializer.Serialize(
                new
                {
                    sub = userId,
                    role = "authenticated",
                    unverified = true,
                }
            )
        );

    private sealed record UnverifiedUser(Guid UserId, bool IsNew);

    private static Caller Remember(HttpContext context, Caller caller)
    {
        context.Items[typeof(Caller)] = caller;
        return caller;
    }
}
