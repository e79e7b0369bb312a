using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform.Security;

/// <summary>What the gateway in front of a Supabase project says of a request without a good key.</summary>
public sealed record GatewayError(string Message);

/// <summary>What is wrong with the keys of a request.</summary>
public enum KeyFault
{
    /// <summary>Nothing; there is a caller.</summary>
    None,

    /// <summary>Neither <c>apikey</c> nor a bearer token.</summary>
    NoKey,

    /// <summary>The <c>apikey</c> is not one of ours.</summary>
    BadKey,

    /// <summary>The bearer token is not one of ours, was changed, or is no token.</summary>
    BadToken,

    /// <summary>The bearer token has ended.</summary>
    ExpiredToken,
}

/// <summary>Who calls an endpoint of Supabase's clients.</summary>
/// <param name="Caller">anon, a user (<c>authenticated</c>) or a server with the service key; null when there is a fault.</param>
/// <param name="Fault">Why there is no caller.</param>
/// <param name="HasBearer">Whether the request carried a bearer token at all.</param>
public sealed record SupabaseCaller(Caller? Caller, KeyFault Fault, bool HasBearer);

/// <summary>
/// Finds out who asks at <c>/auth/v1</c>, <c>/rest/v1</c>, <c>/storage/v1</c> and <c>/realtime/v1</c>. <c>apikey</c> (a header, for the websocket a query parameter) lets a client in; the bearer
/// token decides who it is, and a client without one is whoever its key says. A good bearer token is enough by itself.
/// </summary>
public sealed class SupabaseCallers(AccessTokens tokens)
{
    /// <summary>The caller, or what is wrong with what they sent.</summary>
    public async Task<SupabaseCaller> ReadAsync(HttpContext context)
    {
        var key = context.Request.Headers["apikey"].ToString() is { Length: > 0 } header ? header : context.Request.Query["apikey"].ToString();
        var authorization = context.Request.Headers.Authorization.ToString();
        var bearer = authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization[7..].Trim() : authorization;
        var keyCaller = key.Length > 0 ? (await tokens.ReadKeyAsync(key)).Caller : null;
        if (key.Length > 0 && keyCaller is null)
        {
            return new(null, KeyFault.BadKey, bearer.Length > 0);
        }
        if (bearer.Length == 0)
        {
            return keyCaller is null ? new(null, KeyFault.NoKey, false) : new(keyCaller, KeyFault.None, false);
        }
        if (bearer == key)
        {
            return new(keyCaller, KeyFault.None, true);
        }
        var reading = await tokens.ReadKeyAsync(bearer);
        if (reading.Caller is null)
        {
            return new(null, reading.HasExpired ? KeyFault.ExpiredToken : KeyFault.BadToken, true);
        }
        if (reading.Caller.UserId is not null)
        {
            // What else asks for the caller in this request (the language of an error, the log) hears the same.
            context.Items[typeof(Caller)] = reading.Caller;
        }
        return new(reading.Caller, KeyFault.None, true);
    }

    /// <summary>The gateway's answer to a request without a good key.</summary>
    public static IResult Refuse(KeyFault fault) =>
        Http.Json.Result(new GatewayError(fault == KeyFault.NoKey ? "No API key found in request" : "Invalid API key"), StatusCodes.Status401Unauthorized);
}
