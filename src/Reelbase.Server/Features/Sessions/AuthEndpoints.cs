using System.Text.Json.Serialization;
using Npgsql;
using Reelbase.Server.Features.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Sessions;

/// <summary>What a client sends for a session: a refresh token, or an identity token of Apple.</summary>
/// <param name="RefreshToken">With <c>grant_type=refresh_token</c>.</param>
/// <param name="Provider">With <c>grant_type=id_token</c>: apple.</param>
/// <param name="IdToken">Apple's identity token.</param>
/// <param name="Nonce">What the app made up; Apple's token holds its SHA-256.</param>
/// <param name="LinkIdentity">Joins the Apple account to the signed-in guest, who keeps their id.</param>
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

/// <summary>The auth API's answer to an identity token that is none.</summary>
public sealed record BadIdToken(string Error, string ErrorDescription);

/// <summary>An error of the auth API in the shape of its current version.</summary>
public sealed record AuthError(string Code, string Message);

/// <summary>An error of the auth API as clients without a version header expect it.</summary>
public sealed record OldAuthError(int Code, [property: JsonPropertyName("error_code")] string ErrorCode, string Msg);

/// <summary>The part of the auth API that Supabase clients need: refreshing, the user, signing out, the keys.</summary>
public static class AuthEndpoints
{
    private const string ApiVersion = "2024-01-01";

    public static void MapAuth(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/auth/v1").WithTags("Sessions");
        group
            .MapPost("/token", TokenAsync)
            .WithName("auth-token")
            .Accepts<TokenRequest>("application/json")
            .Produces<SessionAnswer>()
            .Produces<AuthError>(400)
            .Produces<AuthError>(403)
            .Produces<AuthError>(422)
            .Produces<AuthError>(503)
            .WithSummary("Trade a refresh token, or Apple's identity token, for a session")
            .Query("grant_type", "refresh_token or id_token", required: true)
            .Examples(
                new { refresh_token = "AZog..." },
                new
                {
                    access_token = "eyJ...",
                    token_type = "bearer",
                    expires_in = 3600,
                    expires_at = 1790000000,
                    refresh_token = "AZoh...",
                    user = new
                    {
                        id = "0b9fd0a2-6a55-4d2e-a6c3-5c0d3a2f9b10",
                        aud = "authenticated",
                        role = "authenticated",
                        is_anonymous = true,
                    },
                }
            );
        group
            .MapGet("/user", UserAsync)
            .WithName("auth-user")
            .RequiresUser()
            .Produces<AuthUser>()
            .Produces<AuthError>(401)
            .Produces<AuthError>(403)
            .WithSummary("The signed-in user")
            .Examples(
                null,
                new
                {
                    id = "0b9fd0a2-6a55-4d2e-a6c3-5c0d3a2f9b10",
                    aud = "authenticated",
                    role = "authenticated",
                    email = "",
                    phone = "",
                    is_anonymous = true,
                }
            );
        group
            .MapPost("/logout", LogoutAsync)
            .WithName("auth-logout")
            .RequiresUser()
            .Produces(204)
            .Produces<AuthError>(400)
            .Produces<AuthError>(401)
            .Produces<AuthError>(403)
            .WithSummary("End this session, the others, or all")
            .Query("scope", "global, local or others; global when absent");
        group
            .MapGet(
                "/.well-known/jwks.json",
                (HttpContext context, AccessTokens tokens) =>
                {
                    context.Response.Headers.CacheControl = "public, max-age=600";
                    return Json.Answer(tokens.PublicKeySet());
                }
            )
            .WithName("auth-jwks")
            .Produces<object>()
            .WithSummary("The public keys of access tokens")
            .Examples(
                null,
                new
                {
                    keys = new[]
                    {
                        new
                        {
                            kty = "EC",
                            crv = "P-256",
                            x = "...",
                            y = "...",
                            kid = "...",
                            alg = "ES256",
                            use = "sig",
                        },
                    },
                }
            );
        group
            .MapGet(
                "/health",
                () =>
                    Json.Answer(
                        new
                        {
                            version = "reelbase",
                            name = "GoTrue",
                            description = "Reelbase auth",
                        }
                    )
            )
            .WithName("auth-health")
            .Produces<object>()
            .WithSummary("Whether the auth API is there")
            .Examples(
                null,
                new
                {
                    version = "reelbase",
                    name = "GoTrue",
                    description = "Reelbase auth",
                }
            );
        group
            .MapGet(
                "/settings",
                (AppleSignIn apple) =>
                    Json.Answer(
                        new
                        {
                            external = new
                            {
                                anonymous_users = true,
                                apple = apple.IsConfigured,
                                email = false,
                                phone = false,
                            },
                            disable_signup = false,
                            mailer_autoconfirm = true,
                            phone_autoconfirm = false,
                            sms_provider = "",
                            saml_enabled = false,
                        }
                    )
            )
            .WithName("auth-settings")
            .Produces<object>()
            .WithSummary("Which ways of signing in exist")
            .Examples(null, new { external = new { anonymous_users = true, apple = false }, disable_signup = false });
    }

    private static async Task<IResult> TokenAsync(HttpContext context, SessionService sessions, CallerResolver callers, AppleSignIn apple)
    {
        var grantType = context.Request.Query["grant_type"].ToString();
        switch (grantType)
        {
            case "refresh_token" or "id_token":
                break;
            case "password":
                return Fail(context, 422, "email_provider_disabled", "Email logins are disabled");
            default:
                return Fail(context, 400, "invalid_credentials", "This grant type is not supported");
        }
        TokenRequest request;
        try
        {
            request = await RequestBody.ReadAsync<TokenRequest>(context);
        }
        catch (ApiException error)
        {
            return Fail(context, error.Status, "validation_failed", $"The body must be JSON with a {grantType}");
        }
        try
        {
            if (grantType == "id_token")
            {
                return await IdTokenAsync(context, request, sessions, callers, apple);
            }
            var (answer, code) = await sessions.RefreshAsync(request.RefreshToken ?? "", context.RequestAborted);
            return answer is not null ? Json.Answer(answer) : Fail(context, 400, code!, "The refresh token is not valid");
        }
        catch (NpgsqlException)
        {
            // 503 makes clients keep their session and try again; any 4xx would sign people out.
            return Fail(context, 503, "unexpected_failure", "The service is briefly unavailable");
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
            return Fail(context, 422, "provider_disabled", "Sign in with Apple is the only provider, when it is configured");
        }
        Caller? guest = null;
        if (request.LinkIdentity)
        {
            guest = await callers.ReadAsync(context);
            if (guest?.UserId is null)
            {
                return context.Request.Headers.Authorization.Count == 0
                    ? Fail(context, 401, "no_authorization", "Linking requires the guest's bearer token")
                    : Fail(context, 403, "bad_jwt", "The token is not valid");
            }
        }
        var result = await apple.SignInAsync(request.IdToken, request.Nonce, request.AuthorizationCode, guest, context.RequestAborted);
        return result.Outcome switch
        {
            SignInOutcome.SignedIn => Json.Answer((await sessions.StartAsync(result.UserId, "oauth", context.RequestAborted)).Answer),
            SignInOutcome.BadToken => RefuseIdToken(context),
            SignInOutcome.Taken => Fail(context, 422, "identity_already_exists", "The Apple account is linked to a user already"),
            SignInOutcome.Banned => Fail(context, 403, "user_banned", "User is banned"),
            SignInOutcome.NoSession => Fail(context, 403, "session_not_found", "The session has ended"),
            _ => Fail(context, 503, "unexpected_failure", "Apple cannot be reached at the moment"),
        };
    }

    private static IResult RefuseIdToken(HttpContext context)
    {
        context.RequestServices.GetRequiredService<ErrorRecorder>().Record(context, "ERR_4005", "bad_id_token");
        return Json.Answer(new BadIdToken("invalid request", "Bad ID token"), 400);
    }

    private static async Task<IResult> UserAsync(HttpContext context, CallerResolver callers, ApiDatabase database) =>
        await AsCallerAsync(
            context,
            callers,
            async caller =>
                Json.Answer(
                    SessionService.Describe((await database.OneOrNoneAsync<SessionUser>(caller, "select * from get_auth_user()", context.RequestAborted))!)
                )
        );

    private static async Task<IResult> LogoutAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var scope = context.Request.Query["scope"].FirstOrDefault() ?? "global";
        if (scope is not ("global" or "local" or "others"))
        {
            return Fail(context, 400, "validation_failed", "scope is global, local or others");
        }
        return await AsCallerAsync(
            context,
            callers,
            async caller =>
            {
                await database.ExecuteAsync(caller, "select end_sessions($1)", context.RequestAborted, scope);
                return Results.NoContent();
            }
        );
    }

    private static async Task<IResult> AsCallerAsync(HttpContext context, CallerResolver callers, Func<Caller, Task<IResult>> work)
    {
        if (await callers.ReadAsync(context) is not { UserId: not null } caller)
        {
            return context.Request.Headers.Authorization.Count == 0
                ? Fail(context, 401, "no_authorization", "This endpoint requires a bearer token")
                : Fail(context, 403, "bad_jwt", "The token is not valid");
        }
        try
        {
            return await work(caller);
        }
        catch (PostgresException error) when (error.SqlState == "RB001")
        {
            var reason = error.Hint ?? "";
            return error.MessageText == "ERR_4006" ? Fail(context, 403, "user_banned", "User is banned")
                : reason.Contains("no_such_user", StringComparison.Ordinal) ? Fail(context, 403, "user_not_found", "User from sub claim in JWT does not exist")
                : Fail(context, 403, "session_not_found", "Session from session_id claim in JWT does not exist");
        }
    }

    /// <summary>Writes an error in the shape that the client's version asks for; a number where it expects text would make it drop the whole answer.</summary>
    private static IResult Fail(HttpContext context, int status, string code, string message)
    {
        context.Response.Headers["x-sb-error-code"] = code;
        if (status is 400 or 401 or 403)
        {
            // These answers have a shape of their own and do not come from the one place that notes errors.
            context.RequestServices.GetRequiredService<ErrorRecorder>().Record(context, status == 403 ? "ERR_4006" : "ERR_4005", code);
        }
        var isCurrent =
            DateOnly.TryParse(context.Request.Headers["x-supabase-api-version"].ToString(), System.Globalization.CultureInfo.InvariantCulture, out var version)
            && version >= new DateOnly(2024, 1, 1);
        if (!isCurrent)
        {
            return Json.Answer(new OldAuthError(status, code, message), status);
        }
        context.Response.Headers["x-supabase-api-version"] = ApiVersion;
        return Json.Answer(new AuthError(code, message), status);
    }
}
