using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Sessions;

/// <summary>One open session of the caller's.</summary>
/// <param name="SessionId">Its id, as <c>/end-session</c> takes it.</param>
/// <param name="SignedInWith">device or apple.</param>
/// <param name="CreatedAt">When it was opened.</param>
/// <param name="LastUsedAt">When it was last refreshed.</param>
/// <param name="IsCurrent">Whether it is the one that asks.</param>
public sealed record OpenSession(Guid SessionId, string SignedInWith, DateTime CreatedAt, DateTime LastUsedAt, bool IsCurrent);

/// <summary>The caller's open sessions.</summary>
public sealed record SessionsResponse(IReadOnlyList<OpenSession> Sessions);

/// <summary>Which session to end.</summary>
public sealed record EndSessionRequest(string? SessionId = null, string? UserId = null)
{
    public EndSessionRequest()
        : this(null, null) { }
}

/// <summary>The session has ended.</summary>
public sealed record EndSessionResponse(bool Success);

/// <summary>Users see where they are signed in, and end what they do not know.</summary>
public static class SessionEndpoints
{
    private static readonly DateTime ExampleTime = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private static readonly Guid ExampleId = Guid.Parse("7d3c0000-0000-4000-8000-000000000001");

    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithTags("Sessions");
        group
            .MapGet("/get-sessions", ListAsync)
            .WithName("get-sessions")
            .RequiresUser()
            .WithSummary("Where the caller is signed in: the open sessions, this one first")
            .Query("user_id", "Optional; must be the caller")
            .Produces<SessionsResponse>()
            .Fails(401, 403, 503)
            .Examples(null, new SessionsResponse([new(ExampleId, "apple", ExampleTime, ExampleTime.AddDays(1), true)]));
        group
            .MapPost("/end-session", EndAsync)
            .WithName("end-session")
            .RequiresUser()
            .WithSummary("End one session of the caller's, on this phone or another; its tokens are refused from the next call on")
            .Accepts<EndSessionRequest>("application/json")
            .Produces<EndSessionResponse>()
            .Fails(400, 401, 403, 404, 413, 415, 503)
            .Examples(new { session_id = ExampleId }, new EndSessionResponse(true));
    }

    private static async Task<IResult> ListAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var caller = await callers.RequireUserAsync(context);
        return Json.Result(new SessionsResponse(await database.ListAsync<OpenSession>(caller, "select * from list_my_sessions()", context.RequestAborted)));
    }

    private static async Task<IResult> EndAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var request = await RequestBody.ReadAsync<EndSessionRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        var id =
            string.IsNullOrEmpty(request.SessionId) ? throw ApiException.Field(ErrorCodes.MalformedRequest, "session_id", "required")
            : Guid.TryParse(request.SessionId, out var given) ? given
            : throw new ApiException(ErrorCodes.NotFound, new { what = "session" });
        await database.ExecuteAsync(caller, "select end_session($1)", context.RequestAborted, id);
        return Json.Result(new EndSessionResponse(true));
    }
}
