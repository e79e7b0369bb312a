using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.GenerateVideo;

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
    public string Write(HttpContext context, string text, string secret) =>
        !text.Contains(secret, StringComparison.Ordinal)
            ? text
            : Regex.Replace(
                text,
                $@"{secret}\|(videos|thumbnails)\|(-?\d*)\|(.*?)\|{secret}",
                match =>
                {
                    var created = long.TryParse(match.Groups[2].Value, CultureInfo.InvariantCulture, out var seconds)
                        ? DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime
                        : (DateTime?)null;
                    var days = generation.Value.RetentionDays;
                    var key = JsonSerializer.Deserialize<string>($"\"{match.Groups[3].Value}\"");
                    var link = links.Address(context, match.Groups[1].Value, key, days == 0 ? null : created?.AddDays(days));
                    return JsonSerializer.Serialize(link, Platform.Http.Json.Options)[1..^1];
                },
                RegexOptions.Singleline,
                TimeSpan.FromSeconds(5)
            );
}
