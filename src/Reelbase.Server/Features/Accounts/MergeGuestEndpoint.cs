using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Features.Sessions.SignIn;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Accounts;

/// <summary>A guest who has signed in with Apple.</summary>
/// <param name="IdToken">Apple's identity token.</param>
/// <param name="Nonce">What the app made up for it, if it did; Apple's token holds its SHA-256.</param>
/// <param name="AuthorizationCode">Apple's code, so that the permission can be taken back when the account is deleted.</param>
/// <param name="AppleSub">Optional beside a token, which it must match. Alone it is a claim that nobody has verified.</param>
/// <param name="DeviceId">What shipped apps without tokens send.</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record MergeGuestRequest(
    string? IdToken = null,
    string? Nonce = null,
    string? AuthorizationCode = null,
    string? AppleSub = null,
    string? DeviceId = null,
    string? UserId = null
)
{
    public MergeGuestRequest()
        : this(IdToken: null) { }
}

/// <summary>The member that the guest is now.</summary>
/// <param name="Success">Always true.</param>
/// <param name="User">The member.</param>
/// <param name="Session">The caller's session with its next tokens, which name the member; null for a caller without one.</param>
public sealed record MergeGuestResponse(bool Success, UserProfile User, SessionResponse? Session = null);

/// <summary><c>POST /merge-guest-user</c>: a guest becomes a member, or part of one who exists, and loses nothing.</summary>
public static partial class MergeGuestEndpoint
{
    private const int MaxTextLength = 255;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/merge-guest-user", HandleAsync)
            .WithTags("Accounts")
            .WithName("merge-guest-user")
            .WithSummary("Link the guest to an Apple account")
            .RequiresUser()
            .Accepts<MergeGuestRequest>("application/json")
            .Produces<MergeGuestResponse>()
            .Fails(400, 401, 403, 404, 409, 413, 415, 429, 503)
            .Examples(
                new
                {
                    id_token = "eyJ...",
                    nonce = "a-random-text",
                    authorization_code = "c1234...",
                },
                new MergeGuestResponse(true, AccountsEndpoints.Example with { IsGuest = false, AppleSub = "001234.abcd.5678" })
            );

    private static async Task<IResult> HandleAsync(
        HttpContext context,
        CallerResolver callers,
        ApiDatabase database,
        AppleTokens tokens,
        AppleSignIn signIn,
        AppleAuthorizations authorizations,
        ILoggerFactory loggers
    )
    {
        var request = await RequestBody.ReadAsync<MergeGuestRequest>(context);
        if (request.IdToken is null && callers.AcceptsShippedBuilds && await callers.ReadAsync(context) is not { UserId: not null })
        {
            var claimed = await ClaimUnverifiedAsync(context, request, callers, database);
            LogUnverifiedMerge(loggers.CreateLogger(typeof(MergeGuestEndpoint)));
            return Json.Result(await MergeAsync(context, claimed, new AppleIdentity(request.AppleSub!, null, ""), request, database, signIn, authorizations));
        }
        var caller = await callers.RequireUserAsync(context, request.UserId);
        if (request.IdToken is null)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "id_token", "required");
        }
        if (!tokens.IsConfigured)
        {
            throw new ApiException(ErrorCodes.InternalError, new { reason = "sign_in_with_apple_is_off" }, status: 503);
        }
        AppleIdentity? identity;
        string fault;
        try
        {
            (identity, fault) = await tokens.ReadIdentityAsync(request.IdToken, request.Nonce, context.RequestAborted);
        }
        catch (VendorKeysUnavailableException error)
        {
            throw new ApiException(ErrorCodes.InternalError, new { reason = "apple_unavailable", retry_after_seconds = 30 }, error, 503);
        }
        if (identity is null || (request.AppleSub is { } sub && sub != identity.Subject))
        {
            throw new ApiException(ErrorCodes.Unauthorized, new { reason = "bad_id_token", fault = identity is null ? fault : "subject" });
        }
        return Json.Result(await MergeAsync(context, caller, identity, request, database, signIn, authorizations));
    }

    private static async Task<MergeGuestResponse> MergeAsync(
        HttpContext context,
        Caller caller,
        AppleIdentity identity,
        MergeGuestRequest request,
        ApiDatabase database,
        AppleSignIn signIn,
        AppleAuthorizations authorizations
    )
    {
        var merged = await signIn.LinkAsync(caller, identity, mayMerge: true, context.RequestAborted);
        await authorizations.KeepAsync(merged.UserId, identity.ClientId is { Length: > 0 } client ? client : null, request.AuthorizationCode);
        // The sessions that ended may have streams open: they are notified to check.
        context.RequestServices.GetRequiredService<ChangeFeed>().Publish(CallerResolver.TopicOf(caller.UserId!.Value));
        var sessions = context.RequestServices.GetRequiredService<SessionService>();
        return new(true, await AccountsEndpoints.ReadAsync(context, database, caller), await sessions.RotateAsync(caller.SessionId, context.RequestAborted));
    }

    /// <summary>Shipped apps send a device id and Apple's subject, and prove neither.</summary>
    private static async Task<Caller> ClaimUnverifiedAsync(HttpContext context, MergeGuestRequest request, CallerResolver callers, ApiDatabase database)
    {
        if (request.DeviceId is not { Length: > 0 and <= MaxTextLength } device)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "device_id", "required");
        }
        if (request.AppleSub is not { Length: > 0 and <= MaxTextLength } subject)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "apple_sub", "required");
        }
        var userId = await database.ScalarAsync<Guid?>(
            "select find_guest_to_merge($1, $2, $3)",
            context.RequestAborted,
            device,
            subject,
            context.Connection.RemoteIpAddress
        );
        // An install that could not onboard has been nobody until now.
        return userId is { } known
            ? await callers.ClaimUnverifiedAsync(known.ToString(), context.RequestAborted, "merge")
            : await callers.ClaimUnverifiedAsync(context, device);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "INSECURE: accounts were merged on an unverified claim (Server:AcceptUnverifiedUserId)")]
    private static partial void LogUnverifiedMerge(ILogger logger);
}
