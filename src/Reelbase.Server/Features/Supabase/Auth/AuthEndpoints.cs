using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Features.Sessions.SignIn;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Supabase.Auth;

/// <summary>The part of the auth API that Supabase's clients need: guests, refreshing, Apple, the user, signing out, the keys.</summary>
public static class AuthEndpoints
{
    /// <summary>Ways of signing in that clients look for; only the first two exist here.</summary>
    private static readonly string[] Providers = ["anonymous_users", "apple", "email", "phone", "facebook", "github", "google"];

    private static readonly object UserExample = new
    {
        id = "0b9fd0a2-6a55-4d2e-a6c3-5c0d3a2f9b10",
        aud = "authenticated",
        role = "authenticated",
        email = "",
        phone = "",
        user_metadata = new { nickname = "Ada" },
        is_anonymous = true,
    };

    private static readonly object SessionExample = new
    {
        access_token = "eyJ...",
        token_type = "bearer",
        expires_in = 3600,
        expires_at = 1790000000,
        refresh_token = "AZoh...",
        user = UserExample,
    };

    public static void MapAuth(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/auth/v1").WithTags("Auth");
        group
            .MapPost("/signup", SignUpEndpoint.HandleAsync)
            .WithName("auth-signup")
            .Accepts<SignUpRequest>("application/json")
            .Produces<SessionResponse>()
            .Produces<AuthError>(400)
            .Produces<GatewayError>(401)
            .Produces<AuthError>(422)
            .Produces<AuthError>(429)
            .Produces<AuthError>(503)
            .WithSummary("Open the session of a guest who has proved no device and gets no free credits")
            .Header("apikey", "The anon key", required: true)
            .Examples(new { data = new { nickname = "Ada" } }, SessionExample);
        group
            .MapPost("/token", TokenEndpoint.HandleAsync)
            .WithName("auth-token")
            .Accepts<TokenRequest>("application/json")
            .Produces<SessionResponse>()
            .Produces<AuthError>(400)
            .Produces<AuthError>(403)
            .Produces<AuthError>(422)
            .Produces<AuthError>(503)
            .WithSummary("Trade a refresh token, or Apple's identity token, for a session")
            .Query("grant_type", "refresh_token or id_token", required: true)
            .Examples(new { refresh_token = "AZog..." }, SessionExample);
        group
            .MapGet("/user", UserEndpoints.ReadAsync)
            .WithName("auth-user")
            .RequiresUser()
            .Produces<AuthUser>()
            .Produces<AuthError>(401)
            .Produces<AuthError>(403)
            .WithSummary("The signed-in user")
            .Examples(null, UserExample);
        group
            .MapPut("/user", UserEndpoints.UpdateAsync)
            .WithName("auth-update-user")
            .RequiresUser()
            .Accepts<UpdateUserRequest>("application/json")
            .Produces<AuthUser>()
            .Produces<AuthError>(400)
            .Produces<AuthError>(401)
            .Produces<AuthError>(403)
            .Produces<AuthError>(422)
            .WithSummary("Keep something about the signed-in user")
            .Examples(new { data = new { nickname = "Ada" } }, UserExample);
        group
            .MapPost("/logout", UserEndpoints.LogoutAsync)
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
                    return Json.Result(tokens.PublicKeySet());
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
                    Json.Result(
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
                (AppleSignIn apple, IOptions<SupabaseOptions> options) =>
                    Json.Result(
                        new
                        {
                            external = Providers.ToDictionary(
                                name => name,
                                name =>
                                    name switch
                                    {
                                        "anonymous_users" => options.Value.AnonymousSignUps,
                                        "apple" => apple.IsConfigured,
                                        _ => false,
                                    }
                            ),
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
}
