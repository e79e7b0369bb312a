using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Platform.Errors;

/// <summary>The body of every error answer.</summary>
public sealed record ErrorBody(ErrorContent Error);

/// <summary>What went wrong: a stable code, words in the caller's language, facts, and the id that finds it in the logs.</summary>
public sealed record ErrorContent(string Code, string Message, JsonElement Details, string TraceId);

/// <summary>Turns whatever ends a request into an error of the catalogue, in the caller's language.</summary>
public sealed class ErrorWriter(ApiDatabase database, ErrorRecorder recorder, IEnumerable<IErrorShape> shapes, ILogger<ErrorWriter> logger) : IExceptionHandler
{
    private static readonly Meter Meter = new("Reelbase.Errors");
    private static readonly Counter<long> Errors = Meter.CreateCounter<long>("reelbase.errors", "{error}", "Error answers, by code and route");
    private static readonly Counter<long> Limited = Meter.CreateCounter<long>("reelbase.rate_limit.hits", "{request}", "Requests over a limit, by route");
    private static readonly object ChosenLanguage = new();
    private static readonly JsonElement NoDetails = JsonDocument.Parse("{}").RootElement;

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = 499;
            return true;
        }
        var error = exception switch
        {
            ApiException known => known,
            NpgsqlException database => DatabaseErrors.Translate(database),
            BadHttpRequestException bad => new ApiException(ErrorCodes.MalformedRequest, new { reason = Reason(bad.StatusCode) }, bad, bad.StatusCode),
            TimeoutException late => new ApiException(ErrorCodes.DatabaseUnavailable, null, late),
            _ => new ApiException(ErrorCodes.InternalError, null, exception),
        };
        await WriteAsync(context, error);
        return true;
    }

    /// <summary>What the web server itself refuses.</summary>
    private static string Reason(int status) =>
        status switch
        {
            StatusCodes.Status408RequestTimeout => "too_slow",
            StatusCodes.Status413PayloadTooLarge => "too_large",
            _ => "broken_request",
        };

    /// <summary>For whoever knows which language the caller has chosen (null: none), so that it is not asked for again.</summary>
    public static void SetChosenLanguage(HttpContext context, string? language) => context.Items[ChosenLanguage] = language;

    /// <summary>Writes an error answer, notes it, and logs it when it is our fault.</summary>
    public async Task WriteAsync(HttpContext context, ApiException error)
    {
        var entry = ErrorCatalog.Find(error.Code);
        var traceId = Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;
        if (error.IsOurFault)
        {
            logger.LogError(error.InnerException ?? error, "{Code} on {Path} (trace {TraceId})", entry.Code, context.Request.Path.Value, traceId);
        }
        // The exception handler clears the endpoint and keeps it in its own feature. The pattern and not the path: a path can carry a token.
        var endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        var route = (endpoint as RouteEndpoint)?.RoutePattern.RawText ?? "";
        Errors.Add(1, new("code", entry.Code), new("route", route));
        if (entry.Code == ErrorCodes.RateLimited)
        {
            Limited.Add(1, new KeyValuePair<string, object?>("route", route));
        }
        Activity.Current?.SetTag("reelbase.error_code", entry.Code);
        recorder.Record(context, entry.Code, route, error.Details, traceId);
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        var language = await LanguageAsync(context);
        context.Response.Headers.ContentLanguage = language;
        context.Response.StatusCode = error.Status;
        if (error.Details is { ValueKind: JsonValueKind.Object } details && details.TryGetProperty("retry_after_seconds", out var seconds))
        {
            context.Response.Headers.RetryAfter = seconds.ToString();
            if (details.TryGetProperty("limit", out var limit) && limit.TryGetInt32(out var places) && seconds.TryGetInt32(out var waitSeconds))
            {
                // Here and not in each endpoint, so that no refusal by a limit can forget it.
                RateLimitHeaders.Set(context, places, 0, DateTime.UtcNow.AddSeconds(waitSeconds));
            }
        }
        if (shapes.FirstOrDefault(shape => context.Request.Path.StartsWithSegments(shape.Prefix, StringComparison.OrdinalIgnoreCase)) is { } shape)
        {
            var (status, body) = shape.Describe(context, error);
            context.Response.StatusCode = status;
            await context.Response.WriteAsJsonAsync(body, body.GetType(), Json.Options, "application/json", CancellationToken.None);
        }
        else
        {
            await context.Response.WriteAsJsonAsync(
                new ErrorBody(new(entry.Code, entry.Message(language, error.Details), error.Details ?? NoDetails, traceId)),
                Json.Options,
                "application/json",
                CancellationToken.None
            );
        }
        await RequestBody.DiscardRestAsync(context);
    }

    /// <summary>The user's own setting, else what the request prefers, else English.</summary>
    internal async Task<string> LanguageAsync(HttpContext context)
    {
        if (context.Items.TryGetValue(ChosenLanguage, out var known))
        {
            if (known is string chosen)
            {
                return chosen;
            }
        }
        else if (context.Items[typeof(Caller)] is Caller { UserId: { } userId })
        {
            try
            {
                if (await database.ScalarAsync<string>("select find_user_language($1)", CancellationToken.None, userId) is { } own)
                {
                    return own;
                }
            }
            catch (NpgsqlException)
            {
                // The database is away: the header will do.
            }
        }
        return AcceptLanguage.Choose(context.Request.Headers.AcceptLanguage.ToString());
    }
}
