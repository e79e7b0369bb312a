using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Supabase.Auth;

/// <summary>The auth API's answer to an identity token that is none.</summary>
public sealed record BadIdToken(string Error, string ErrorDescription);

/// <summary>An error of the auth API in the shape of its current version.</summary>
public sealed record AuthError(string Code, string Message);

/// <summary>An error of the auth API as clients without a version header expect it.</summary>
public sealed record OldAuthError(int Code, [property: JsonPropertyName("error_code")] string ErrorCode, string Msg);

/// <summary>Errors under <c>/auth/v1</c>, in the shape that the client's version asks for: also those that end a request before or beside the endpoint.</summary>
public sealed class AuthErrors : IErrorShape
{
    private const string VersionHeader = "x-supabase-api-version";
    private const string Version = "2024-01-01";

    /// <inheritdoc/>
    public string Prefix => "/auth/v1";

    /// <inheritdoc/>
    public (int Status, object Body) Describe(HttpContext context, ApiException error)
    {
        var (status, code, message) = error.Code switch
        {
            ErrorCodes.RateLimited => (429, "over_request_rate_limit", "Request rate limit reached"),
            ErrorCodes.Unauthorized when Reason(error) == "no_token" => (401, "no_authorization", "This endpoint requires a valid Bearer token"),
            ErrorCodes.Unauthorized when Reason(error) == "no_such_user" => (403, "user_not_found", "User from sub claim in JWT does not exist"),
            ErrorCodes.Unauthorized when Reason(error) == "session_ended" => (403, "session_not_found", "Session from session_id claim in JWT does not exist"),
            ErrorCodes.Unauthorized => (403, "bad_jwt", "invalid JWT"),
            ErrorCodes.Forbidden => (403, "user_banned", "User is banned"),
            ErrorCodes.MalformedRequest when error.Status == 404 => (404, "not_found", "There is no such endpoint"),
            ErrorCodes.MalformedRequest when error.Status == 405 => (405, "method_not_allowed", "This endpoint does not take that method"),
            // 503 makes clients keep their session and try again; any 4xx would sign people out.
            _ when error.IsOurFault => (error.Status, "unexpected_failure", "The service is briefly unavailable"),
            _ => (error.Status, "validation_failed", "The request is not valid"),
        };
        return (status, Shape(context, status, code, message));
    }

    /// <summary>An error answer of an endpoint, noted like every other.</summary>
    public static IResult Result(HttpContext context, int status, string code, string message)
    {
        if (status is 400 or 401 or 403)
        {
            // These answers have a shape of their own and do not come from the one place that notes errors.
            context.RequestServices.GetRequiredService<ErrorRecorder>().Record(context, status == 403 ? ErrorCodes.Forbidden : ErrorCodes.Unauthorized, code);
        }
        return Shape(context, status, code, message) switch
        {
            AuthError current => Json.Result(current, status),
            var old => Json.Result((OldAuthError)old, status),
        };
    }

    /// <summary>A number where a client expects text would make it drop the whole answer.</summary>
    private static object Shape(HttpContext context, int status, string code, string message)
    {
        context.Response.Headers["x-sb-error-code"] = code;
        var isCurrent =
            DateOnly.TryParse(context.Request.Headers[VersionHeader].ToString(), CultureInfo.InvariantCulture, out var version)
            && version >= new DateOnly(2024, 1, 1);
        if (!isCurrent)
        {
            return new OldAuthError(status, code, message);
        }
        context.Response.Headers[VersionHeader] = Version;
        return new AuthError(code, message);
    }

    private static string? Reason(ApiException error) =>
        error.Details is { ValueKind: JsonValueKind.Object } details && details.TryGetProperty("reason", out var reason) ? reason.GetString() : null;
}
