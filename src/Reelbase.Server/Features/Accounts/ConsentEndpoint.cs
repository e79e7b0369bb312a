using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Accounts;

/// <summary>What a user agrees to, or no longer.</summary>
/// <param name="Kind">terms, ai_processing, consumption_data, or guardian: a guardian agrees that a child uses the app.</param>
/// <param name="Version">Of the text that was shown; 1 to 50 characters.</param>
/// <param name="Granted">false takes it back, whatever version it was.</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record RecordConsentRequest(string? Kind = null, string? Version = null, bool? Granted = null, string? UserId = null)
{
    public RecordConsentRequest()
        : this(Kind: null) { }
}

/// <summary>It is noted.</summary>
public sealed record RecordConsentResponse(bool Success);

/// <summary><c>POST /record-consent</c>: Apple is sent a purchase's use only with <c>consumption_data</c>.</summary>
public static class ConsentEndpoint
{
    private const int MaxVersionLength = 50;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/record-consent", HandleAsync)
            .WithTags("Accounts")
            .WithName("record-consent")
            .WithSummary("Note what the caller agrees to, or no longer")
            .RequiresUser()
            .Accepts<RecordConsentRequest>("application/json")
            .Produces<RecordConsentResponse>()
            .Fails(400, 401, 403, 404, 413, 415, 503)
            .Examples(
                new
                {
                    kind = "consumption_data",
                    version = "2026-01",
                    granted = true,
                },
                new RecordConsentResponse(true)
            );

    private static async Task<IResult> HandleAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var request = await RequestBody.ReadAsync<RecordConsentRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        if (request.Kind is not ("terms" or "ai_processing" or "consumption_data" or "guardian"))
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "kind", "terms_ai_processing_or_consumption_data");
        }
        if (request.Version is not { Length: > 0 and <= MaxVersionLength })
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "version", "required");
        }
        if (request.Granted is not { } granted)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "granted", "required");
        }
        await database.ExecuteAsync(caller, "select record_consent($1, $2, $3)", context.RequestAborted, request.Kind, request.Version, granted);
        return Json.Result(new RecordConsentResponse(true));
    }
}
