using System.Text.Json;

namespace Reelbase.Server.Platform.Errors;

/// <summary>An error of the catalogue. Thrown anywhere in a request, written in one place (<see cref="ErrorWriter"/>).</summary>
/// <param name="code">The catalogue's code.</param>
/// <param name="details">Facts for the caller; never texts of other systems.</param>
/// <param name="inner">What happened, for the log.</param>
/// <param name="status">A status other than the code's usual one (ERR_4000 keeps the fitting one).</param>
public sealed class ApiException(string code, object? details = null, Exception? inner = null, int? status = null) : Exception(code, inner)
{
    public string Code { get; } = code;

    public int Status { get; } = status ?? ErrorCatalog.Find(code).Status;

    /// <summary>The details as JSON, or null.</summary>
    public JsonElement? Details { get; } =
        details switch
        {
            null => null,
            JsonElement element => element,
            _ => JsonSerializer.SerializeToElement(details, Http.Json.Options),
        };

    /// <summary>Whether a log should say more than that it happened.</summary>
    public bool IsOurFault => Status >= 500;

    /// <summary>A field of the request that is wrong, and why.</summary>
    public static ApiException Field(string code, string field, string reason) => new(code, new { field, reason });
}
