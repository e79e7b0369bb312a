using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Supabase.Auth;

/// <summary>What a client signs up with.</summary>
/// <param name="Data">What the app wants to keep about the user.</param>
/// <param name="Email">Not offered.</param>
/// <param name="Phone">Not offered.</param>
public sealed record SignUpRequest(JsonElement? Data = null, string? Email = null, string? Phone = null)
{
    public SignUpRequest()
        : this(Data: null) { }
}

/// <summary><c>POST /auth/v1/signup</c>: a guest without a device.</summary>
public static class SignUpEndpoint
{
    /// <summary>Handles the request.</summary>
    public static async Task<IResult> HandleAsync(
        HttpContext context,
        SupabaseCallers keys,
        SessionService sessions,
        ApiDatabase database,
        IOptions<SupabaseOptions> options
    )
    {
        var caller = await keys.ReadAsync(context);
        // A client may send what is left of an earlier session beside a good key: it opens a new one all the same.
        var hasKey = caller.Caller is not null || (context.Request.Headers.ContainsKey("apikey") && caller.Fault is KeyFault.BadToken or KeyFault.ExpiredToken);
        if (!hasKey)
        {
            return SupabaseCallers.Refuse(caller.Fault);
        }
        var request = await RequestBody.ReadAsync<SignUpRequest>(context, allowEmpty: true);
        if (request.Email is { Length: > 0 })
        {
            return AuthErrors.Result(context, 422, "email_provider_disabled", "Email signups are disabled");
        }
        if (request.Phone is { Length: > 0 })
        {
            return AuthErrors.Result(context, 422, "phone_provider_disabled", "Phone signups are disabled");
        }
        if (!options.Value.AnonymousSignUps)
        {
            return AuthErrors.Result(context, 422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled");
        }
        var userId = await database.ScalarAsync<Guid>(
            "select sign_up_guest($1, $2::integer, $3, $4::jsonb)",
            context.RequestAborted,
            context.Connection.RemoteIpAddress,
            options.Value.AnonymousSignUpsPerWindow < 0 ? null : options.Value.AnonymousSignUpsPerWindow,
            options.Value.AnonymousSignUpWindowSeconds,
            UserEndpoints.Storable(request.Data)
        );
        return Json.Result((await sessions.StartAsync(userId, "anonymous", context.RequestAborted)).Response);
    }
}
