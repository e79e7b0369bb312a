using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary><c>/rest/v1</c>: tables and views as PostgREST serves them.</summary>
internal sealed partial class RestEndpoint(
    SupabaseCallers callers,
    RestCatalogSource catalogs,
    RestRunner runner,
    StorageKeyLinks links,
    ShippedSettings shipped,
    RestPlaces places,
    IOptions<RestOptions> options,
    ILogger<RestEndpoint> logger
)
{
    private const string Prefix = "/rest/v1";

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    public static void Add(IServiceCollection services)
    {
        services.AddSingleton(provider => new CallerDatabase(
            provider.GetRequiredService<ConnectionStrings>(),
            provider.GetRequiredService<IOptions<RestOptions>>().Value.MaxConnections,
            provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.MaxPreparedStatements
        ));
        services.AddSingleton<RestCatalogSource>();
        services.AddSingleton<RestRunner>();
        services.AddSingleton<StorageKeyLinks>();
        services.AddSingleton<ShippedSettings>();
        services.AddSingleton<RestPlaces>();
        services.AddSingleton<RestEndpoint>();
    }

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.Map(Prefix + "/{**path}", context => context.RequestServices.GetRequiredService<RestEndpoint>().HandleAsync(context)).ExcludeFromDescription();

    private async Task HandleAsync(HttpContext context)
    {
        var caller = Caller.Anonymous;
        try
        {
            var known = await callers.ReadAsync(context);
            if (known.Fault is KeyFault.NoKey or KeyFault.BadKey && context.Request.Method != "OPTIONS")
            {
                await SupabaseCallers.Refuse(known.Fault).ExecuteAsync(context);
                return;
            }
            if (known.Fault is KeyFault.ExpiredToken)
            {
                throw new RestError(401, "PGRST303", "JWT expired");
            }
            if (known.Fault is KeyFault.BadToken)
            {
                throw new RestError(401, "PGRST301", "JWT cryptographic operation failed");
            }
            caller = known.Caller ?? Caller.Anonymous;
            using var place = await places.TakeAsync(caller, context.Connection.RemoteIpAddress, context.RequestAborted);
            await RespondAsync(context, caller);
        }
        catch (RestError error)
        {
            if (error.InnerException is not null)
            {
                logger.LogWarning(error.InnerException, "{Code}", error.Code);
            }
            await WriteAsync(context, error);
        }
        catch (ApiException error) when (error.Status == 413)
        {
            await WriteAsync(context, new RestError(413, "PGRST102", $"A body may have {options.Value.MaxBodyBytes} bytes"));
        }
        catch (BadHttpRequestException error)
        {
            await WriteAsync(context, new RestError(error.StatusCode, "PGRST102", "The body could not be read"));
        }
        catch (PostgresException error)
        {
            await WriteAsync(context, RestError.From(error, caller));
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException)
        {
            logger.LogWarning(error, "The database is away");
            await WriteAsync(context, new RestError(503, "PGRST000", "Database connection error."));
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            logger.LogError(error, "A request to {Path} ended in a fault of ours", context.Request.Path.Value);
            await WriteAsync(context, new RestError(500, "PGRSTX00", "Something went wrong on our side."));
        }
    }

    private async Task RespondAsync(HttpContext context, Caller caller)
    {
        var request = context.Request;
        var raw = request.Path.Value![Prefix.Length..];
        var parts = raw.Trim('/').Split('/');
        if (parts is ["rpc", var function])
        {
            var name = $"{options.Value.Exposed[0]}.{function}";
            throw new RestError(
                404,
                "PGRST202",
                $"Could not find the function {name} in the schema cache",
                $"Searched for the function {name}, but no matches were found in the schema cache.",
                "Functions of the database are not offered here."
            );
        }
        if (parts.Length != 1)
        {
            throw new RestError(404, "PGRST125", "Invalid path specified in request URL");
        }
        if (!Methods.Contains(request.Method) || (parts[0].Length == 0 && request.Method is not ("GET" or "HEAD" or "OPTIONS")))
        {
            throw new RestError(405, "PGRST117", "Unsupported HTTP method: " + request.Method);
        }
        var schema = Schema(request);
        if (parts[0].Length == 0)
        {
            await DescribeAsync(context, caller, schema);
            return;
        }
        var query = RestQueryReader.Read(request.QueryString.Value ?? "");
        var range = TopRange(request, query);
        var payload = request.Method is "POST" or "PUT" or "PATCH"
            ? RestPayload.Read(
                await RequestBody.ReadBytesAsync(context, options.Value.MaxBodyBytes),
                request.ContentType,
                request.Method == "PUT" ? null : query.Columns
            )
            : null;
        var media = request.Method == "OPTIONS" ? RestMedia.Array : RestMedia.Choose(request, false);
        var asked = new RestRequest(request.Method, schema, parts[0], query, RestPreferences.Read(request), media, range, payload);
        if (caller.Role == "anon" && shipped.Claims(asked))
        {
            await WriteAsync(context, await shipped.ChangeAsync(context, asked, runner), caller);
            return;
        }
        var secret = StorageKeyLinks.NewSecret();
        var answer = await runner.RunAsync(asked, caller, secret, context.RequestAborted);
        await WriteAsync(context, answer, caller, secret);
    }

    private string Schema(HttpRequest request)
    {
        var exposed = options.Value.Exposed;
        var header = request.Method is "POST" or "PUT" or "PATCH" or "DELETE" ? "Content-Profile" : "Accept-Profile";
        var asked = request.Headers[header].ToString();
        return asked.Length == 0 ? exposed[0]
            : exposed.Contains(asked) ? asked
            : throw new RestError(406, "PGRST106", "Invalid schema: " + asked, null, "Only the following schemas are exposed: " + string.Join(", ", exposed));
    }

    private static RowRange TopRange(HttpRequest request, RestQuery query)
    {
        var header = request.Method == "GET" ? RangeHeader(request.Headers.Range.ToString()) : RowRange.All;
        var limit = query.Ranges.GetValueOrDefault("limit", RowRange.All);
        var range = limit.IsLimitZero ? new RowRange(0, -1) : header.Intersect(limit);
        if (range.IsEmpty && !limit.IsLimitZero)
        {
            throw RestError.Range(
                header.IsEmpty
                    ? "The lower boundary must be lower than or equal to the upper boundary in the Range header."
                    : "Limit should be greater than or equal to zero."
            );
        }
        return request.Method == "PUT" && range != RowRange.All
            ? throw new RestError(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT")
            : range;
    }

    private static RowRange RangeHeader(string text) =>
        RangeText().Match(text) is { Success: true } match && long.TryParse(match.Groups[1].Value, out var lower)
            ? new(lower, long.TryParse(match.Groups[2].Value, out var upper) ? upper : null)
            : RowRange.All;

    private async Task DescribeAsync(HttpContext context, Caller caller, string schema)
    {
        if (context.Request.Method == "OPTIONS")
        {
            await WriteAsync(context, new RestResponse { Status = 200, SaysEmpty = true }.With("Allow", "OPTIONS,GET,HEAD"), caller);
            return;
        }
        var media = RestMedia.Choose(context.Request, true);
        var catalog = await catalogs.GetAsync(context.RequestAborted);
        var body = RestDescription.Write(catalog, schema, caller, options.Value);
        await WriteAsync(
            context,
            new RestResponse
            {
                Status = 200,
                Body = context.Request.Method == "HEAD" ? null : body,
                ContentType = media.ContentType,
            },
            caller
        );
    }

    private async Task WriteAsync(HttpContext context, RestResponse answer, Caller caller, string? secret = null)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            response.Headers[name] = value;
        }
        if (answer.ContentType is not null)
        {
            response.ContentType = answer.ContentType;
        }
        if (answer.Body is null)
        {
            if (answer.SaysEmpty)
            {
                response.ContentLength = 0;
            }
            await response.StartAsync(context.RequestAborted);
            return;
        }
        var bytes = Encoding.UTF8.GetBytes(secret is null ? answer.Body : links.Write(context, answer.Body, secret));
        if (context.Request.Method == "GET" && answer.Status is 200 or 206 && caller.UserId is null)
        {
            // What everybody may read is worth keeping until it changes.
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]}\"");
            response.Headers.ETag = tag.ToString();
            response.Headers.CacheControl = "no-cache";
            response.Headers.Vary = "Authorization, apikey, Accept, Accept-Profile, Range, Prefer";
            if (context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, false)))
            {
                response.StatusCode = 304;
                response.ContentType = null;
                return;
            }
        }
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext context, RestError error)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return;
        }
        var body = error.Body();
        response.Clear();
        response.StatusCode = error.Status;
        response.ContentType = RestMedia.Array.ContentType;
        response.Headers["Proxy-Status"] = "PostgREST; error=" + error.Code;
        if (error.Status == 401)
        {
            response.Headers.WWWAuthenticate = error.Code is "PGRST301" or "PGRST303"
                ? $"Bearer error=\"invalid_token\", error_description=\"{error.Message}\""
                : "Bearer";
        }
        response.ContentLength = body.Length;
        if (context.Request.Method != "HEAD")
        {
            await response.Body.WriteAsync(body, context.RequestAborted);
        }
        await RequestBody.DiscardRestAsync(context);
    }

    [System.Text.RegularExpressions.GeneratedRegex("^([0-9]+)-([0-9]*)\\z")]
    private static partial System.Text.RegularExpressions.Regex RangeText();
}
