using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>An error in PostgREST's form.</summary>
public sealed record RestErrorBody(string Code, string Message, string? Details, string? Hint);

/// <summary>Errors under <c>/rest/v1</c> that end a request before the endpoint: in the form that its clients read.</summary>
public sealed class RestErrors : IErrorShape
{
    /// <inheritdoc/>
    public string Prefix => "/rest/v1";

    /// <inheritdoc/>
    public (int Status, object Body) Describe(HttpContext context, ApiException error) =>
        (error.Status, new RestErrorBody(error.Code, ErrorCatalog.Find(error.Code).Message("en", error.Details), null, null));
}
