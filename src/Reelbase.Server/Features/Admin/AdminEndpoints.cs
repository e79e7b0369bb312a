using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Idempotency;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Admin;

/// <summary>The admin API: <c>GET</c> to read, <c>POST</c> to change, with an admin's bearer token and nothing else.</summary>
public static class AdminEndpoints
{
    /// <summary>Room for a model's fields and their options.</summary>
    private const int MaxBodyBytes = 64 * 1024;

    public static void MapAdmin(this IEndpointRouteBuilder routes, AdminOperations operations)
    {
        var group = routes.MapGroup("").WithTags("Admin");
        foreach (var operation in operations.All)
        {
            Task<IResult> Handle(HttpContext context, CallerResolver callers, ApiDatabase database, AdminApi api) =>
                HandleAsync(operation, context, callers, database, api);
            var route = operation.IsPost ? group.MapPost("/" + operation.Name, Handle) : group.MapGet("/" + operation.Name, Handle);
            route.WithName(operation.Name).WithSummary(operation.Summary).RequiresUser().Produces(200, operation.Response, "application/json");
            route.WithMetadata(new ResolvesCallerFirstMetadata());
            if (operation.IsChange)
            {
                route.Accepts(operation.Request, "application/json").Fails(400, 401, 403, 404, 409, 413, 415, 422, 503);
                if (operation.MayPend)
                {
                    route.Produces<AdminPendingResponse>(202);
                }
                route.Header(IdempotencyKey.Header, "A UUID; the same key with the same body is done once", required: operation.NeedsKey);
                route.Examples(ExampleOf(operation), operation.Example);
            }
            else if (operation.IsAskedByBody)
            {
                route.Accepts(operation.Request, "application/json").Fails(400, 401, 403, 404, 413, 415, 503);
                route.Examples(ExampleOf(operation), operation.Example);
            }
            else
            {
                foreach (var field in operation.Fields)
                {
                    route.Query(field.Name, field.Description, field.IsRequired);
                }
                route.Fails(400, 401, 403, 404, 503).Examples(null, operation.Example);
            }
        }
    }

    /// <summary>A body that carries what the operation's example says, and nothing of the rest.</summary>
    private static Dictionary<string, object> ExampleOf(AdminOperation operation) =>
        operation.Fields.Where(field => field.Example is not "").ToDictionary(field => field.Name, field => field.Example);

    /// <summary>The calling admin, by token. Everybody else hears it before a word of the request is read.</summary>
    private static async Task<Caller> RequireAdminAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        // What a browser sends by itself must not move credits.
        if (context.Request.Headers.Authorization.Count == 0 && ConsoleCookies.HasSession(context.Request))
        {
            throw new ApiException(ErrorCodes.Forbidden, new { reason = "cookie_not_accepted" });
        }
        if (await callers.ReadAsync(context) is not { UserId: not null } caller)
        {
            throw CallerResolver.NoUser(context);
        }
        await database.ExecuteAsync(caller, "select require_admin()", context.RequestAborted);
        return caller;
    }

    private static async Task<IResult> HandleAsync(AdminOperation operation, HttpContext context, CallerResolver callers, ApiDatabase database, AdminApi api)
    {
        var caller = await RequireAdminAsync(context, callers, database);
        var request = operation.IsPost ? await ReadBodyAsync(context) : ReadQuery(context, operation);
        var key =
            operation.NeedsKey ? IdempotencyKey.Require(context)
            : operation.IsChange ? IdempotencyKey.Read(context)
            : null;
        if (operation.IsAskedByBody && operation.Fields.FirstOrDefault(field => field.IsRequired && request[field.Name] is null) is { } missing)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, missing.Name, "required");
        }
        if (operation.ByBody is { } better && request.ContainsKey("q"))
        {
            // RFC 9745 and RFC 8288: whoever puts somebody's e-mail or device into an address hears where it belongs.
            context.Response.Headers["Deprecation"] = "@1795737600";
            context.Response.Headers.Link = $"</{better}>; rel=\"successor-version\"";
        }
        var (answer, isReplay) = await api.CallAsync(caller, operation, request, key, context.RequestAborted);
        IdempotencyKey.Mark(context, isReplay);
        return Json.Result(answer, AdminApi.IsPending(operation, answer) ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }

    private static async Task<JsonObject> ReadBodyAsync(HttpContext context)
    {
        var fields = await RequestBody.ReadAsync<Dictionary<string, JsonElement>>(context, maxBytes: MaxBodyBytes);
        var request = new JsonObject();
        foreach (var (name, value) in fields)
        {
            // Texts deep inside are checked too: PostgreSQL holds no NUL and no half of a pair.
            if (!IsStorable(value))
            {
                throw ApiException.Field(ErrorCodes.MalformedRequest, name[..Math.Min(name.Length, 64)], "not_valid_text");
            }
            request[name] = JsonNode.Parse(value.GetRawText());
        }
        return request;
    }

    private static JsonObject ReadQuery(HttpContext context, AdminOperation operation)
    {
        var request = new JsonObject();
        foreach (var field in operation.Fields)
        {
            if (RequestQuery.Text(context, field.Name, 255) is { Length: > 0 } value)
            {
                request[field.Name] = value;
            }
        }
        return request;
    }

    private static bool IsStorable(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => Json.NullIfUnstorable(value.GetString()!) is not null,
                JsonValueKind.Array => value.EnumerateArray().All(IsStorable),
                JsonValueKind.Object => value.EnumerateObject().All(member => Json.NullIfUnstorable(member.Name) is not null && IsStorable(member.Value)),
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair cannot be read as text.
            return false;
        }
    }
}
