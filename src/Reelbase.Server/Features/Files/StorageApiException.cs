using System.Globalization;
using System.Text.Json;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Files;

/// <summary>A refusal in the words of Supabase's storage. The status is the true one in both places: the shipped app reads no body.</summary>
public sealed class StorageApiException(int status, string error, string message, int? retryAfterSeconds = null) : Exception(message)
{
    /// <summary>The name of a refusal for want of room; its message is the catalogue's, in the caller's language.</summary>
    public const string InsufficientStorage = "insufficient_storage";

    private const int FullRetrySeconds = 600;

    /// <summary>The status of the answer.</summary>
    public int Status { get; } = status;

    /// <summary>The short name of what is wrong.</summary>
    public string Error { get; } = error;

    /// <summary>When it is worth trying again.</summary>
    public int? RetryAfterSeconds { get; } = retryAfterSeconds;

    /// <summary>There is no such file, or it is somebody else's.</summary>
    public static StorageApiException NotFound => new(404, "not_found", "Object not found");

    /// <summary>There is no such bucket.</summary>
    public static StorageApiException NoBucket => new(404, "Bucket not found", "Bucket not found");

    /// <summary>What an exception means in these words; null for one that is not a refusal.</summary>
    public static StorageApiException? From(Exception error) =>
        error switch
        {
            StorageApiException fault => fault,
            PostgresException { SqlState: "RB001" } raised => From(DatabaseErrors.Translate(raised)),
            BadHttpRequestException { StatusCode: 413 } => TooLarge(null),
            BadHttpRequestException => new(400, "InvalidRequest", "The request is not complete"),
            ApiException { IsOurFault: false } refusal => From(refusal),
            ApiException { Code: ErrorCodes.StorageUnavailable } full => From(full),
            _ => null,
        };

    /// <summary>The picture has more bytes than one may have.</summary>
    public static StorageApiException TooLarge(int? maxMegabytes) =>
        new(
            413,
            "Payload too large",
            maxMegabytes is null ? "The object exceeded the maximum allowed size" : $"The object exceeded the maximum allowed size of {maxMegabytes} MB"
        );

    /// <summary>The body of the answer.</summary>
    public StorageError Body => new(Status.ToString(CultureInfo.InvariantCulture), Error, Message);

    /// <summary>An error of the catalogue in these words.</summary>
    public static StorageApiException From(ApiException error)
    {
        var details = error.Details is { ValueKind: JsonValueKind.Object } given ? given : default;
        var reason = details.ValueKind == JsonValueKind.Object && details.TryGetProperty("reason", out var text) ? text.GetString() : null;
        return (error.Code, reason) switch
        {
            (ErrorCodes.RateLimited, _) => new(
                429,
                "too_many_requests",
                "Too many uploads; try again later",
                details.TryGetProperty("retry_after_seconds", out var seconds) ? seconds.GetInt32() : 60
            ),
            (ErrorCodes.Unauthorized, _) => new(401, "Unauthorized", "The session has ended"),
            (ErrorCodes.Forbidden, "banned") => new(403, "Unauthorized", "The user is banned"),
            (ErrorCodes.Forbidden, _) => new(403, "Unauthorized", "new row violates row-level security policy"),
            (ErrorCodes.NotFound, _) => NotFound,
            (ErrorCodes.Conflict, "exists") => new(409, "Duplicate", "The resource already exists"),
            (ErrorCodes.Conflict, "too_many_files") => new(
                413,
                "Payload too large",
                $"No more than {details.GetProperty("max_files")} pictures can be kept; delete some"
            ),
            (ErrorCodes.Conflict, "too_many_bytes") => new(
                413,
                "Payload too large",
                $"No more than {details.GetProperty("max_bytes").GetInt64() / 1024 / 1024} MB of pictures can be kept; delete some"
            ),
            (ErrorCodes.Conflict, _) => new(409, "conflict", "The upload was given up; try again"),
            (ErrorCodes.StorageUnavailable, StorageQuota.DiskShort or StorageQuota.UploadsFull) => new(
                error.Status,
                InsufficientStorage,
                ErrorCatalog.Find(error.Code).Message("en"),
                FullRetrySeconds
            ),
            (_, "too_large") => TooLarge(null),
            _ => new(
                error.Status,
                error.Status >= 500 ? "unavailable" : "InvalidRequest",
                error.Status >= 500 ? "The server cannot do this now" : "The request is not valid"
            ),
        };
    }
}

/// <summary>Errors under <c>/storage/v1</c> that end a request before or beside the endpoint, and ours.</summary>
public sealed class StorageErrors : IErrorShape
{
    /// <inheritdoc/>
    public string Prefix => "/storage/v1";

    /// <inheritdoc/>
    public (int Status, object Body) Describe(HttpContext context, ApiException error)
    {
        var fault = StorageApiException.From(error);
        if (fault.RetryAfterSeconds is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }
        return (fault.Status, fault.Body);
    }
}

/// <summary>Around every operation of the storage API: refusals are said in its words, and a body that nobody read does not cut the answer off.</summary>
public sealed class StorageRefusalFilter(ErrorRecorder recorder, ErrorWriter writer) : IEndpointFilter
{
    /// <inheritdoc/>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (StorageException away)
        {
            throw new ApiException(ErrorCodes.StorageUnavailable, null, away);
        }
        catch (Exception error) when (StorageApiException.From(error) is { } fault && !context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            if (fault.RetryAfterSeconds is { } seconds)
            {
                context.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            }
            if (fault.Error == StorageApiException.InsufficientStorage)
            {
                // Not in the log, which lies on the same disk: the errors are counted, and there is an alert.
                recorder.Record(context.HttpContext, ErrorCodes.StorageUnavailable, fault.Error);
                var language = await writer.LanguageAsync(context.HttpContext);
                context.HttpContext.Response.Headers.ContentLanguage = language;
                return new Refusal(new(fault.Status, fault.Error, ErrorCatalog.Find(ErrorCodes.StorageUnavailable).Message(language)));
            }
            if (fault.Status is 401 or 403)
            {
                recorder.Record(context.HttpContext, fault.Status == 403 ? ErrorCodes.Forbidden : ErrorCodes.Unauthorized, fault.Error);
            }
            return new Refusal(fault);
        }
    }

    private sealed class Refusal(StorageApiException fault) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            await Json.Result(fault.Body, fault.Status).ExecuteAsync(httpContext);
            await RequestBody.DiscardRestAsync(httpContext);
        }
    }
}
