using Npgsql;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Features.Sessions.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Supabase.Auth;

/// <summary>What a client sends for a session: a refresh token, or an identity token of Apple.</summary>
/// <param name="RefreshToken">With <c>grant_type=refresh_token</c>.</param>
/// <param name="Provider">With <c>grant_type=id_token</c>: apple.</param>
/// <param name="IdToken">Apple's identity token.</param>
/// <param name="Nonce">What the app made up; Apple's token holds its SHA-256.</param>
/// <param name="LinkIdentity">Links the Apple account to the signed-in guest, who keeps their id.</param>
/// <param name="AuthorizationCode">Apple's code, so that the permission can be taken back when the account is deleted.</param>
public sealed record TokenRequest(
    string? RefreshToken = null,
    string? Provider = null,
    string? IdToken = null,
    string? Nonce = null,
    bool LinkIdentity = false,
    string? AuthorizationCode = null
)
{
    public TokenRequest()
        : this(RefreshToken: null) { }
}

/// <summary><c>POST /auth/v1/token</c>: a refresh token, or Apple's identity token, for a session.</summary>
public static class TokenEndpoint
{
    /// <summary>Handles the request.</summary>
    public static async Task<IResult> HandleAsync(HttpContext context, SessionService sessions, CallerResolver callers, SupabaseCallers keys, AppleSignIn apple)
    {
        var grantType = context.Request.Query["grant_type"].ToString();
        switch (grantType)
        {
            case "refresh_token" or "id_token":
                break;
            case "password":
                return AuthErrors.Result(context, 422, "email_provider_disabled", "Email logins are disabled");
            default:
                return AuthErrors.Result(context, 400, "invalid_credentials", "This grant type is not supported");
        }
        TokenRequest request;
        try
        {
            request = await RequestBody.ReadAsync<TokenRequest>(context);
        }
        catch (ApiException error)
        {
            return AuthErrors.Result(context, error.Status, "validation_failed", $"The body must be JSON with a {grantType}");
        }
        try
        {
            if (grantType == "id_token")
            {
                if (await keys.ReadAsync(context) is { Fault: KeyFault.BadKey })
                {
                    return SupabaseCallers.Refuse(KeyFault.BadKey);
                }
                return await IdTokenAsync(context, request, sessions, callers, apple);
            }
            var (answer, code) = await sessions.RefreshAsync(request.RefreshToken ?? "", context.RequestAborted);
            return answer is not null ? Json.Result(answer) : AuthErrors.Result(context, 400, code!, "The refresh token is not valid");
        }
        catch (NpgsqlException)
        {
            // 503 makes clients keep their session and try again; any 4xx would sign people out.
            return AuthErrors.Result(context, 503, "unexpected_failure", "The service is briefly unavailable");
        }
    }

    private static async Task<IResult> IdTokenAsync(
        HttpContext context,
        TokenRequest request,
        SessionService sessions,
        CallerResolver callers,
        AppleSignIn apple
    )
    {
        if (request.Provider != "apple" || !apple.IsConfigured)
        {
            return AuthErrors.Result(context, 422, "provider_disabled", "Sign in with Apple is the only provider, when it is configured");
        }
        Caller? guest = null;
        if (request.LinkIdentity)
        {
            guest = await callers.ReadAsync(context);
            if (guest?.UserId is null)
            {
                return context.Request.Headers.Authorization.Count == 0
                    ? AuthErrors.Result(context, 401, "no_authorization", "Linking requires the guest's bearer token")
                    : AuthErrors.Result(context, 403, "bad_jwt", "The token is not valid");
            }
        }
        var result = await apple.SignInAsync(request.IdToken, request.Nonce, request.AuthorizationCode, guest, context.RequestAborted);
        return result.Outcome switch
        {
            SignInOutcome.SignedIn => Json.Result((await sessions.StartAsync(result.UserId, "oauth", context.RequestAborted)).Response),
            SignInOutcome.BadToken => RefuseIdToken(context),
            SignInOutcome.Taken => AuthErrors.Result(context, 422, "identity_already_exists", "The Apple account is linked to a user already"),
            SignInOutcome.Banned => AuthErrors.Result(context, 403, "user_banned", "User is banned"),
            SignInOutcome.NoSession => AuthErrors.Result(context, 403, "session_not_found", "The session has ended"),
            _ => AuthErrors.Result(context, 503, "unexpected_failure", "Apple cannot be reached at the moment"),
        };
    }

    private static IResult RefuseIdToken(HttpContext context)
    {
        context.RequestServices.GetRequiredService<ErrorRecorder>().Record(context, ErrorCodes.Unauthorized, "bad_id_token");
        return Json.Result(new BadIdToken("invalid request", "Bad ID token"), 400);
    }
}
