using Microsoft.Net.Http.Headers;

namespace Reelbase.Server.Platform.Errors;

/// <summary>Chooses one of our languages from an Accept-Language header (RFC 9110, section 12.5.4).</summary>
public static class AcceptLanguage
{
    /// <summary>The best of our languages by quality value, English when none is wanted or the header is unreadable.</summary>
    public static string Choose(string header)
    {
        if (header.Length is 0 or > 500 || !StringWithQualityHeaderValue.TryParseList([header], out var wanted))
        {
            return ErrorCatalog.Languages[0];
        }
        return wanted
                .Where(value => value.Quality is null or > 0)
                .OrderByDescending(value => value.Quality ?? 1)
                .Select(value => value.Value.ToString().Split('-')[0].ToLowerInvariant())
                .Select(tag => tag == "*" ? ErrorCatalog.Languages[0] : tag)
                .FirstOrDefault(ErrorCatalog.Languages.Contains)
            ?? ErrorCatalog.Languages[0];
    }
}
