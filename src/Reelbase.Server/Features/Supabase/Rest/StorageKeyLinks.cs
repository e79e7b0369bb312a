using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Jobs.GenerateVideo;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Turns the keys of files in an answer into the links that <c>get-video-status</c> gives: the same token, the same life.</summary>
internal sealed class StorageKeyLinks(FileLinks links, IOptions<GenerationOptions> generation)
{
    /// <summary>A word that nobody can put into a row before the request that it marks.</summary>
    public static string NewSecret() => "k" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));

    /// <summary>The text with links in place of keys.</summary>
    /// <param name="context">The request, for the server's address.</param>
    /// <param name="text">JSON or CSV.</param>
    /// <param name="secret">What stands before and after each key.</param>
    public string Write(HttpContext context, string text, string secret)
    {
        var written = new StringBuilder();
        var at = 0;
        for (int from; (from = text.IndexOf(secret, at, StringComparison.Ordinal)) >= 0; )
        {
            var to = text.IndexOf(secret, from + secret.Length, StringComparison.Ordinal);
            written.Append(text, at, from - at).Append(Link(context, text[(from + secret.Length + 1)..(to - 1)]));
            at = to + secret.Length;
        }
        return at == 0 ? text : written.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>The link for <c>bucket|created|key</c>, as it stands in the answer.</summary>
    private string Link(HttpContext context, string marked)
    {
        var parts = marked.Split('|', 3);
        var created = long.TryParse(parts[1], CultureInfo.InvariantCulture, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime
            : (DateTime?)null;
        var days = generation.Value.RetentionDays;
        var key = JsonSerializer.Deserialize<string>($"\"{parts[2]}\"");
        var link = links.Address(context, parts[0], key, days == 0 ? null : created?.AddDays(days));
        return JsonSerializer.Serialize(link, Platform.Http.Json.Options)[1..^1];
    }
}
