using System.Text.Json.Serialization;
using Reelbase.Simulators.Apple;

namespace Reelbase.Simulators.AppleId;

/// <summary>A sign-in to be made up.</summary>
public sealed record TokenOrder(string Sub, string? Email = null, string? Nonce = null, string? Aud = null, long? Iat = null);

/// <summary>Something that happens to an Apple account.</summary>
public sealed record AccountEventOrder(string Type, string Sub, [property: JsonPropertyName("as_object")] bool AsObject = false, string? Aud = null);

/// <summary>appleid.apple.com: keys, exchange of codes, revocation, and events that it sends.</summary>
public static class AppleIdSimulator
{
    public static void MapAppleId(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/apple-id/auth/keys", (AppleIdState state) => Results.Json(state.PublicKeys()));
        routes.MapPost("/apple-id/auth/token", TokenAsync);
        routes.MapPost("/apple-id/auth/revoke", RevokeAsync);
        var control = routes.MapGroup("/_control/apple-id");
        control.MapPost(
            "/tokens",
            (TokenOrder order, AppleIdState state, AppleApp app) =>
                Results.Json(
                    new
                    {
                        id_token = state.IdentityToken(order.Sub, order.Email, order.Nonce, order.Aud ?? app.BundleId, order.Iat),
                        authorization_code = state.NewCode(order.Sub, order.Aud ?? app.BundleId),
                    }
                )
        );
        control.MapPost(
            "/events",
            async (AccountEventOrder order, AppleIdState state, AppleApp app, IHttpClientFactory clients) =>
            {
                var payload = state.Event(order.Type, order.Sub, order.Aud ?? app.BundleId, order.AsObject);
                if (app.ServerUrl is null)
                {
                    return Results.Json(new { payload, accepted = false });
                }
                using var answer = await clients.CreateClient().PostAsJsonAsync($"{app.ServerUrl}/apple-account-events", new { payload });
                return Results.Json(new { payload, accepted = answer.IsSuccessStatusCode });
            }
        );
        control.MapPost(
            "/rotate-keys",
            (AppleIdState state) =>
            {
                state.Rotate();
                return Results.Json(new { success = true });
            }
        );
        control.MapGet(
            "/revocations",
            (AppleIdState state) =>
                Results.Json(
                    new
                    {
                        revocations = state.Revocations.Select(one => new
                        {
                            token = one.Token,
                            client_id = one.ClientId,
                            was_known = one.WasKnown,
                        }),
                        exchanged = state.Exchanges,
                    }
                )
        );
    }

    private static async Task<IResult> TokenAsync(HttpContext context, AppleIdState state, AppleApp app)
    {
        var form = await context.Request.ReadFormAsync();
        if (Refuse(form, app) is { } refusal)
        {
            return refusal;
        }
        string clientId = form["client_id"]!;
        switch (form["grant_type"].ToString())
        {
            case "authorization_code":
                if (state.TakeCode(form["code"], clientId) is not { } issued)
                {
                    return Fault("invalid_grant");
                }
                var refresh = $"r{Guid.NewGuid():N}.0.simulated";
                state.RefreshTokens[refresh] = (issued.Subject, clientId);
                state.Exchanges.Enqueue(form["code"]!);
                return Results.Json(
                    new
                    {
                        access_token = $"a{Guid.NewGuid():N}.0.simulated",
                        token_type = "Bearer",
                        expires_in = 3600,
                        refresh_token = refresh,
                        id_token = state.IdentityToken(issued.Subject, null, null, clientId),
                    }
                );
            case "refresh_token":
                return state.RefreshTokens.TryGetValue(form["refresh_token"].ToString(), out var known) && known.ClientId == clientId
                    ? Results.Json(
                        new
                        {
                            access_token = $"a{Guid.NewGuid():N}.0.simulated",
                            token_type = "Bearer",
                            expires_in = 3600,
                            id_token = state.IdentityToken(known.Subject, null, null, clientId),
                        }
                    )
                    : Fault("invalid_grant");
            default:
                return Fault("unsupported_grant_type");
        }
    }

    private static async Task<IResult> RevokeAsync(HttpContext context, AppleIdState state, AppleApp app)
    {
        var form = await context.Request.ReadFormAsync();
        if (Refuse(form, app) is { } refusal)
        {
            return refusal;
        }
        // 200 whatever the token is, as Apple does.
        var token = form["token"].ToString();
        state.Revocations.Enqueue((token, form["client_id"].ToString(), state.RefreshTokens.TryRemove(token, out _)));
        return Results.Ok();
    }

    private static IResult? Refuse(IFormCollection form, AppleApp app)
    {
        if (string.IsNullOrEmpty(form["client_id"]))
        {
            return Fault("invalid_request");
        }
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return
            app.ReadToken(form["client_secret"], app.TeamId, out _) is { } secret
            && secret.GetProperty("aud").GetString() == "https://appleid.apple.com"
            && secret.GetProperty("sub").GetString() == form["client_id"]
            && secret.GetProperty("exp").GetInt64() > now
            && secret.GetProperty("exp").GetInt64() <= now + 15_777_000
            ? null
            : Fault("invalid_client");
    }

    private static IResult Fault(string error) => Results.Json(new { error }, statusCode: 400);
}
