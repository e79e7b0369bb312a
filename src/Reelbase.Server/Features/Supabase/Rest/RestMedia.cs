using Microsoft.Net.Http.Headers;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>How an answer is written.</summary>
internal sealed record RestMedia(string ContentType, bool IsSingle, bool StripsNulls, bool IsCsv, bool IsDescription)
{
    public static RestMedia Array { get; } = new("application/json; charset=utf-8", false, false, false, false);

    private static readonly RestMedia Csv = new("text/csv; charset=utf-8", false, false, true, false);
    private static readonly RestMedia Description = new("application/openapi+json; charset=utf-8", false, false, false, true);

    /// <summary>The first of what the client accepts that is offered.</summary>
    /// <exception cref="RestError">PGRST107.</exception>
    public static RestMedia Choose(HttpRequest request, bool isRoot)
    {
        var accepted = request.GetTypedHeaders().Accept.OrderByDescending(each => each.Quality ?? 1).ToList();
        if (accepted.Count == 0)
        {
            return isRoot ? Description : Array;
        }
        foreach (var each in accepted)
        {
            var type = each.MediaType.ToString().ToLowerInvariant();
            var strips = each.Parameters.Any(parameter => parameter.Name == "nulls" && parameter.Value == "stripped");
            var found = isRoot
                ? type is "application/openapi+json" or "application/json" or "*/*"
                    ? Description
                    : null
                : type switch
                {
                    "application/json" or "*/*" => Array,
                    "application/vnd.pgrst.object+json" or "application/vnd.pgrst.object" => new(
                        $"application/vnd.pgrst.object+json{(strips ? ";nulls=stripped" : "")}; charset=utf-8",
                        true,
                        strips,
                        false,
                        false
                    ),
                    "application/vnd.pgrst.array+json" or "application/vnd.pgrst.array" => strips
                        ? new("application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8", false, true, false, false)
                        : Array,
                    "text/csv" => Csv,
                    _ => null,
                };
            if (found is not null)
            {
                return found;
            }
        }
        throw new RestError(406, "PGRST107", "None of these media types are available: " + string.Join(", ", accepted.Select(Written)));
    }

    private static string Written(MediaTypeHeaderValue type) =>
        type.CopyAsReadOnly() is var copy && copy.Quality is null ? copy.ToString() : copy.MediaType.ToString();
}
