using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Admin.Console;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Admin;

/// <summary>The console's sign-in endpoints: in by password and code or by a passkey, out, and a new passkey for who is in. All of them take forms and scripts of our own pages only.</summary>
public static class ConsoleSignIn
{
    /// <summary>Where the framework leads whoever is not signed in; it puts the sub-path before it.</summary>
    internal const string SignInRoute = "/admin/sign-in";

    // A redirect puts the sub-path in the place of the tilde.
    private const string SignInPath = "~" + SignInRoute;
    private const string PasswordPath = "~/admin/password";
    private const string HomePath = "~/admin";
    private const int MaxFormCharacters = 4096;
    private const int MaxPasskeyBytes = 64 * 1024;

    public static void MapConsoleSignIn(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/admin/session", SignInAsync).ExcludeFromDescription();
        routes.MapPost("/admin/session/end", SignOutAsync).ExcludeFromDescription();
        routes.MapPost("/admin/session/password", ChoosePasswordAsync).ExcludeFromDescription();
        routes.MapPost("/admin/passkey/challenge", ChallengeAsync).ExcludeFromDescription();
        routes.MapPost("/admin/passkey/session", PasskeySignInAsync).ExcludeFromDescription();
        routes.MapPost("/admin/passkey/new", BeginPasskeyAsync).ExcludeFromDescription();
        routes.MapPost("/admin/passkey/add", AddPasskeyAsync).ExcludeFromDescription();
    }

    private static async Task<IResult> SignInAsync(HttpContext context, IAntiforgery antiforgery, AdminSignIn signIn, IOptions<AdminOptions> options)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
        {
            return Results.Redirect(SignInPath + "?wrong=form");
        }
        var (session, isBusy) = await signIn.TryAsync(await ReadProofAsync(context), context.RequestAborted);
        if (session is null)
        {
            return Results.Redirect(SignInPath + (isBusy ? "?wrong=busy" : "?wrong=yes"));
        }
        await OpenAsync(context, session, options.Value);
        return Results.Redirect(HomePath);
    }

    /// <summary>Passwords count letter for letter: one that is longer than any is nobody's, and not its beginning.</summary>
    private static async Task<AdminProof> ReadProofAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        return new(
            Field(form, "email", 320).Trim(),
            Field(form, "password", AdminPasswords.MaxCharacters),
            Field(form, "code", 10).Trim(),
            context.Connection.RemoteIpAddress,
            KnownBrowser.Read(context)
        );
    }

    private static string Field(IFormCollection form, string name, int max) =>
        form[name].ToString() is { } text && text.Length <= max && !text.Contains('\0', StringComparison.Ordinal) ? text : "";

    private static async Task<IResult> ChoosePasswordAsync(HttpContext context, IAntiforgery antiforgery, AdminSignIn signIn)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
        {
            return Results.Redirect(PasswordPath + "?wrong=form");
        }
        var proof = await ReadProofAsync(context);
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var (chosen, again) = (Field(form, "chosen", MaxFormCharacters), Field(form, "again", MaxFormCharacters));
        var wrong = chosen != again ? "different" : await signIn.ChooseAsync(proof, chosen, context.Request.Host.Host, context.RequestAborted);
        if (wrong is not null)
        {
            return Results.Redirect(PasswordPath + $"?wrong={wrong}");
        }
        await context.SignOutAsync(ConsoleSetup.Scheme);
        return Results.Redirect(SignInPath + "?changed=yes");
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, IAntiforgery antiforgery, ApiDatabase database)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
        {
            return Results.Redirect(HomePath);
        }
        if (context.User.Identity?.IsAuthenticated == true)
        {
            await database.ExecuteAsync(ConsoleSession.CallerOf(context.User), "select end_admin_session()", CancellationToken.None);
        }
        await context.SignOutAsync(ConsoleSetup.Scheme);
        // Pages are not stored anyway; what the browser keeps of them all the same goes with the session.
        context.Response.Headers["Clear-Site-Data"] = "\"cache\"";
        return Results.Redirect(SignInPath);
    }

    private static async Task<IResult> ChallengeAsync(HttpContext context, IAntiforgery antiforgery, AdminPasskeys passkeys)
    {
        await RequireOwnPageAsync(context, antiforgery);
        return await passkeys.ChallengeAsync(context.Connection.RemoteIpAddress, context.RequestAborted) is { } options
            ? Results.Text(options, "application/json")
            : throw Busy();
    }

    private static async Task<IResult> PasskeySignInAsync(HttpContext context, IAntiforgery antiforgery, AdminPasskeys passkeys, IOptions<AdminOptions> options)
    {
        await RequireOwnPageAsync(context, antiforgery);
        var body = await ReadAsync(context);
        var (session, isBusy) = await passkeys.SignInAsync(body["credential"], context.Connection.RemoteIpAddress, context.RequestAborted);
        if (session is null)
        {
            throw isBusy ? Busy() : new ApiException(ErrorCodes.Unauthorized, new { reason = "passkey_refused" });
        }
        await OpenAsync(context, session, options.Value);
        return Json.Result(new { location = context.Request.PathBase + "/admin" });
    }

    private static async Task<IResult> BeginPasskeyAsync(HttpContext context, IAntiforgery antiforgery, AdminPasskeys passkeys)
    {
        var caller = await RequireCallerAsync(context, antiforgery);
        return Results.Text(await passkeys.BeginAsync(caller, context.RequestAborted), "application/json");
    }

    private static async Task<IResult> AddPasskeyAsync(HttpContext context, IAntiforgery antiforgery, AdminPasskeys passkeys, ChangeFeed feed)
    {
        var caller = await RequireCallerAsync(context, antiforgery);
        var body = await ReadAsync(context);
        var name = body["name"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
        var id = await passkeys.AddAsync(caller, name, body["credential"], context.RequestAborted);
        feed.Publish(AdminApi.Topic);
        return Json.Result(new { passkey_id = id });
    }

    private static async Task OpenAsync(HttpContext context, AdminSession session, AdminOptions options)
    {
        var identity = new ClaimsIdentity(
            [
                new(ClaimTypes.NameIdentifier, session.UserId.ToString()),
                new(ClaimTypes.Name, session.Email),
                new(ConsoleSession.SessionClaim, session.SessionId.ToString()),
            ],
            ConsoleSetup.Scheme
        );
        await context.SignInAsync(
            ConsoleSetup.Scheme,
            new ClaimsPrincipal(identity),
            new AuthenticationProperties { ExpiresUtc = DateTimeOffset.UtcNow.AddMinutes(options.SessionMinutes) }
        );
        KnownBrowser.Remember(context, session.UserId);
    }

    private static async Task RequireOwnPageAsync(HttpContext context, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
        {
            throw new ApiException(ErrorCodes.Forbidden, new { reason = "foreign_form" });
        }
    }

    private static async Task<Caller> RequireCallerAsync(HttpContext context, IAntiforgery antiforgery)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ApiException(ErrorCodes.Unauthorized);
        }
        await RequireOwnPageAsync(context, antiforgery);
        return ConsoleSession.CallerOf(context.User);
    }

    private static async Task<JsonObject> ReadAsync(HttpContext context)
    {
        var fields = await RequestBody.ReadAsync<Dictionary<string, JsonElement>>(context, maxBytes: MaxPasskeyBytes);
        return new(fields.Select(field => KeyValuePair.Create(field.Key, JsonNode.Parse(field.Value.GetRawText()))));
    }

    private static ApiException Busy() => new(ErrorCodes.RateLimited, new { reason = "too_many_attempts" });
}
