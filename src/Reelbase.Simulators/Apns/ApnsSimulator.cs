using System.Text.Json;
using Reelbase.Simulators.Apple;

namespace Reelbase.Simulators.Apns;

/// <summary>How a token answers from now on.</summary>
/// <param name="Status">An HTTP status; 200 makes it well again.</param>
/// <param name="Reason">Apple's word; by default the usual one of the status.</param>
/// <param name="Timestamp">With 410: since when, in milliseconds.</param>
/// <param name="Times">How often; by default always.</param>
/// <param name="Environment">production or sandbox: where the token belongs; the other host answers BadDeviceToken.</param>
public sealed record ApnsResponseOrder(string Token, int Status, string? Reason = null, long? Timestamp = null, int? Times = null, string? Environment = null);

/// <summary>A key of the team that is good for one environment only.</summary>
public sealed record ApnsKeyOrder(string Id, string Environment, string Key);

/// <summary>Apple's push service, at <c>/apns</c> (production) and <c>/apns/sandbox</c>, over HTTP/2 alone.</summary>
public static class ApnsSimulator
{
    private const int MaxPayloadBytes = 4096;

    public static void MapApns(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(
            "/apns/3/device/{token}",
            (string token, HttpContext context, ApnsState state, AppleApp app) => HandleAsync("production", token, context, state, app)
        );
        routes.MapPost(
            "/apns/sandbox/3/device/{token}",
            (string token, HttpContext context, ApnsState state, AppleApp app) => HandleAsync("sandbox", token, context, state, app)
        );
        routes.MapPost(
            "/_control/apns/answers",
            (ApnsResponseOrder order, ApnsState state) =>
            {
                if (order.Environment is not null)
                {
                    state.Environments[order.Token] = order.Environment;
                }
                if (order.Status == 200)
                {
                    state.Answers.TryRemove(order.Token, out _);
                }
                else
                {
                    state.Answers[order.Token] = (order.Status, order.Reason, order.Timestamp, order.Times ?? int.MaxValue);
                }
                return Results.Json(new { success = true });
            }
        );
        routes.MapPost(
            "/_control/apns/keys",
            (ApnsKeyOrder order, ApnsState state) =>
            {
                var key = System.Security.Cryptography.ECDsa.Create();
                key.ImportFromPem(order.Key);
                state.Keys[order.Id] = (order.Environment, key);
                return Results.Json(new { success = true });
            }
        );
        routes.MapGet(
            "/_control/apns/notifications",
            (ApnsState state) =>
                Results.Json(
                    new
                    {
                        notifications = state.Arrived.Select(push => new
                        {
                            token = push.Token,
                            environment = push.Environment,
                            apns_id = push.ApnsId,
                            headers = push.Headers,
                            payload = push.Payload,
                            protocol = push.Protocol,
                            status = push.Status,
                        }),
                    }
                )
        );
    }

    private static async Task<IResult> HandleAsync(string environment, string token, HttpContext context, ApnsState state, AppleApp app)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            // Apple does not even answer such a connection.
            context.Abort();
            return Results.Empty;
        }
        var headers = context
            .Request.Headers.Where(header => header.Key.StartsWith("apns-", StringComparison.Ordinal))
            .ToDictionary(header => header.Key, header => header.Value.ToString());
        var id = headers.GetValueOrDefault("apns-id") ?? Guid.NewGuid().ToString();
        context.Response.Headers["apns-id"] = id;
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var (status, reason, timestamp) = Judge(environment, token, context, headers, body, state, app);
        JsonElement payload = default;
        try
        {
            payload = JsonDocument.Parse(body.ToArray()).RootElement;
        }
        catch (JsonException)
        {
            (status, reason) = (400, "PayloadEmpty");
        }
        state.Arrived.Enqueue(new(token, environment, id, headers, payload, context.Request.Protocol, status));
        return status == 200 ? Results.Ok()
            : timestamp is { } since ? Results.Json(new { reason, timestamp = since }, statusCode: status)
            : Results.Json(new { reason }, statusCode: status);
    }

    private static (int Status, string? Reason, long? Timestamp) Judge(
        string environment,
        string token,
        HttpContext context,
        Dictionary<string, string> headers,
        MemoryStream body,
        ApnsState state,
        AppleApp app
    )
    {
        var bearer = context.Request.Headers.Authorization.ToString();
        var now = DateTimeOffset.UtcNow;
        if (!bearer.StartsWith("bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return (403, "MissingProviderToken", null);
        }
        JsonElement? read;
        if (AppleApp.KeyIdOf(bearer[7..]) is { } keyId && state.Keys.TryGetValue(keyId, out var scoped))
        {
            read = AppleApp.ReadToken(bearer[7..], app.TeamId, keyId, scoped.Key, out _);
            if (read is not null && scoped.Environment != environment)
            {
                return (403, "BadEnvironmentKeyIdInToken", null);
            }
        }
        else
        {
            read = app.ReadToken(bearer[7..], app.TeamId, out _);
        }
        if (read is not { } claims)
        {
            return (403, "InvalidProviderToken", null);
        }
        if (claims.GetProperty("iat").GetInt64() < now.ToUnixTimeSeconds() - 3600)
        {
            return (403, "ExpiredProviderToken", null);
        }
        if (headers.GetValueOrDefault("apns-topic") != app.BundleId)
        {
            return (400, headers.ContainsKey("apns-topic") ? "TopicDisallowed" : "MissingTopic", null);
        }
        if (headers.GetValueOrDefault("apns-push-type") is not ("alert" or "background"))
        {
            return (400, "InvalidPushType", null);
        }
        if (headers["apns-push-type"] == "background" && headers.GetValueOrDefault("apns-priority") != "5")
        {
            return (400, "BadPriority", null);
        }
        if (body.Length > MaxPayloadBytes)
        {
            return (413, "PayloadTooLarge", null);
        }
        if (token.Length < 32 || !token.All(char.IsAsciiHexDigit) || state.Environments.GetValueOrDefault(token, environment) != environment)
        {
            return (400, "BadDeviceToken", null);
        }
        if (!state.Answers.TryGetValue(token, out var order))
        {
            return (200, null, null);
        }
        if (order.Left <= 1)
        {
            state.Answers.TryRemove(token, out _);
        }
        else
        {
            state.Answers[token] = order with { Left = order.Left - 1 };
        }
        var reason =
            order.Reason
            ?? order.Status switch
            {
                400 => "BadDeviceToken",
                403 => "InvalidProviderToken",
                410 => "Unregistered",
                413 => "PayloadTooLarge",
                429 => "TooManyRequests",
                503 => "ServiceUnavailable",
                _ => "InternalServerError",
            };
        return (order.Status, reason, order.Status == 410 ? order.Timestamp ?? now.ToUnixTimeMilliseconds() : null);
    }
}
