using System.Text;
using System.Text.Json;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Supabase.Auth;

/// <summary>What may be changed about a user through the auth API.</summary>
/// <param name="Data">Merged into <c>user_metadata</c>; a null removes a member.</param>
/// <param name="Email">Not offered.</param>
/// <param name="Phone">Not offered.</param>
/// <param name="Password">Not offered.</param>
public sealed record UpdateUserRequest(JsonElement? Data = null, string? Email = null, string? Phone = null, string? Password = null)
{
    public UpdateUserRequest()
        : this(Data: null) { }
}

/// <summary><c>/auth/v1/user</c> and <c>/auth/v1/logout</c>: what a session's holder sees, changes and ends.</summary>
public static class UserEndpoints
{
    /// <summary><c>GET /user</c>.</summary>
    public static async Task<IResult> ReadAsync(HttpContext context, SupabaseCallers keys, ApiDatabase database) =>
        await AsUserAsync(context, keys, caller => DescribeAsync(context, database, caller));

    /// <summary><c>PUT /user</c>.</summary>
    public static async Task<IResult> UpdateAsync(HttpContext context, SupabaseCallers keys, ApiDatabase database) =>
        await AsUserAsync(
            context,
            keys,
            async caller =>
            {
                var request = await RequestBody.ReadAsync<UpdateUserRequest>(context);
                if (request.Email is { Length: > 0 } || request.Password is { Length: > 0 })
                {
                    return AuthErrors.Result(context, 422, "email_provider_disabled", "Users have no e-mail login here");
                }
                if (request.Phone is { Length: > 0 })
                {
                    return AuthErrors.Result(context, 422, "phone_provider_disabled", "Users have no phone login here");
                }
                await database.ExecuteAsync(caller, "select update_auth_user($1::jsonb)", context.RequestAborted, Storable(request.Data));
                return await DescribeAsync(context, database, caller);
            }
        );

    /// <summary><c>POST /logout</c>.</summary>
    public static async Task<IResult> LogoutAsync(HttpContext context, SupabaseCallers keys, ApiDatabase database, ChangeFeed feed)
    {
        var scope = context.Request.Query["scope"].FirstOrDefault() ?? "global";
        if (scope is not ("global" or "local" or "others"))
        {
            return AuthErrors.Result(context, 400, "validation_failed", "scope is global, local or others");
        }
        return await AsUserAsync(
            context,
            keys,
            async caller =>
            {
                await database.ExecuteAsync(caller, "select end_sessions($1)", context.RequestAborted, scope);
                // Streams that an ended session holds open check again at once.
                feed.Publish(CallerResolver.TopicOf(caller.UserId!.Value));
                return Results.NoContent();
            }
        );
    }

    /// <summary>Metadata as PostgreSQL can hold it; null when there is none.</summary>
    /// <exception cref="ApiException">ERR_4000: it is no object.</exception>
    internal static string? Storable(JsonElement? data) =>
        data switch
        {
            null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            { ValueKind: JsonValueKind.Object } element => StorableJson.Of(Encoding.UTF8.GetBytes(element.GetRawText())),
            _ => throw ApiException.Field(ErrorCodes.MalformedRequest, "data", "not_an_object"),
        };

    private static async Task<IResult> DescribeAsync(HttpContext context, ApiDatabase database, Caller caller) =>
        Json.Result(
            SessionService.Describe((await database.QuerySingleOrDefaultAsync<SessionUser>(caller, "select * from read_auth_user()", context.RequestAborted))!)
        );

    private static async Task<IResult> AsUserAsync(HttpContext context, SupabaseCallers keys, Func<Caller, Task<IResult>> work)
    {
        var caller = await keys.ReadAsync(context);
        return caller switch
        {
            { Caller: { UserId: not null } user } => await work(user),
            { Fault: KeyFault.BadKey } => SupabaseCallers.Refuse(KeyFault.BadKey),
            { HasBearer: false } => AuthErrors.Result(context, 401, "no_authorization", "This endpoint requires a valid Bearer token"),
            _ => AuthErrors.Result(context, 403, "bad_jwt", "invalid JWT: the token is not a user's, was changed, or has expired"),
        };
    }
}
