using System.Text.Json;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Accounts;

/// <summary>What a user is asked to agree to now.</summary>
/// <param name="Kind">terms, ai_processing or consumption_data.</param>
/// <param name="Version">What <c>/record-consent</c> takes.</param>
/// <param name="Recipients">Who gets data: the configured providers and whom the text names beside them.</param>
/// <param name="Text">In the language that the request prefers, else English.</param>
public sealed record ConsentTermsResponse(string Kind, string Version, IReadOnlyList<string> Recipients, string Text);

/// <summary><c>GET /get-consent-terms</c>: public, cacheable by its strong ETag.</summary>
public static class GetConsentTermsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/get-consent-terms", HandleAsync)
            .WithTags("Accounts")
            .WithName("get-consent-terms")
            .WithSummary("The text of a kind of consent that holds now, and who gets data")
            .Query("kind", "terms, ai_processing (the default) or consumption_data")
            .Header("Accept-Language", "en, tr or es: the text's language, else English")
            .Header("If-None-Match", "An ETag from before; 304 when nothing changed")
            .Produces<ConsentTermsResponse>()
            .Produces(304)
            .Fails(400, 404, 503)
            .Examples(null, new ConsentTermsResponse("ai_processing", "2026-11", ["Google", "fal.ai"], "Your prompt and picture are sent to: Google, fal.ai."));

    private static async Task<IResult> HandleAsync(HttpContext context, ApiDatabase database)
    {
        var kind = RequestQuery.Text(context, "kind", 20) is { Length: > 0 } named ? named : "ai_processing";
        if (kind is not ("terms" or "ai_processing" or "consumption_data"))
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "kind", "terms_ai_processing_or_consumption_data");
        }
        var language = AcceptLanguage.Choose(context.Request.Headers.AcceptLanguage.ToString());
        context.Response.Headers.Vary = "Accept-Language";
        var rows = await database.ListAsync<string>(
            Caller.Anonymous,
            "select coalesce(get_consent_terms($1, $2)::text, '')",
            context.RequestAborted,
            kind,
            language
        );
        return rows[0] is { Length: > 0 } text
            ? TaggedJson.Result(context, JsonSerializer.Deserialize<ConsentTermsResponse>(text, Json.Options)!)
            : throw new ApiException(ErrorCodes.NotFound, new { what = "terms" });
    }
}
