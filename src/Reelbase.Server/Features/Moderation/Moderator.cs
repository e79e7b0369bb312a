using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Moderation;

/// <summary>What moderation says of a request.</summary>
public enum Verdict
{
    /// <summary>Go on.</summary>
    Allowed,

    /// <summary>Refuse, before anything is charged.</summary>
    NotAllowed,

    /// <summary>The service could not be asked, and without it nothing goes on.</summary>
    Unavailable,
}

/// <summary>Asks the blocklist, and then the service where one is configured.</summary>
public sealed class Moderator(IOptions<ModerationOptions> options, ApiDatabase database, IHttpClientFactory clients, ILogger<Moderator> logger)
{
    /// <summary>The name of its HTTP client.</summary>
    public const string ClientName = "moderation";

    private string[]? _blocked;

    /// <summary>Whether somebody outside is shown what a person wrote.</summary>
    public bool AsksOutside => options.Value.ServiceUrl is { Length: > 0 };

    /// <summary>Checks what a person wrote. No prompt of their own: nothing to check.</summary>
    public async Task<Verdict> CheckAsync(string? prompt, string? imageUrl, CancellationToken cancellationToken)
    {
        if (prompt is not null && options.Value.Blocklist.Length > 0 && await IsBlockedAsync(prompt, cancellationToken))
        {
            return Verdict.NotAllowed;
        }
        return options.Value.ServiceUrl is { Length: > 0 } url && (prompt ?? imageUrl) is not null
            ? await AskAsync(url, prompt, imageUrl, cancellationToken)
            : Verdict.Allowed;
    }

    private async Task<bool> IsBlockedAsync(string prompt, CancellationToken cancellationToken)
    {
        if (_blocked is null)
        {
            var phrases = new List<string>();
            foreach (var phrase in options.Value.Blocklist)
            {
                phrases.Add(Plain(await DecomposeAsync(phrase, cancellationToken)));
            }
            _blocked = [.. phrases.Where(phrase => phrase.Trim().Length > 0)];
        }
        var plain = Plain(await DecomposeAsync(prompt, cancellationToken));
        return _blocked.Any(phrase => plain.Contains(phrase, StringComparison.Ordinal));
    }

    /// <summary>
    /// Unicode's compatibility decomposition (NFKD): accents come apart from their letters, wide and ornate letters become plain. PostgreSQL does
    /// it, because this program carries no ICU; plain ASCII is its own decomposition and asks nobody.
    /// </summary>
    private async Task<string> DecomposeAsync(string text, CancellationToken cancellationToken) =>
        System.Text.Ascii.IsValid(text) ? text : await database.ScalarAsync<string>("select normalize($1, NFKD)", cancellationToken, text) ?? text;

    private async Task<Verdict> AskAsync(string url, string? prompt, string? imageUrl, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(options.Value.TimeoutSeconds));
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url)
            {
                Content = JsonContent.Create(
                    imageUrl is null
                        ? new Dictionary<string, string> { ["input"] = prompt ?? "" }
                        : new Dictionary<string, string> { ["input"] = prompt ?? "", ["image_url"] = imageUrl }
                ),
            };
            if (options.Value.ServiceKey is { Length: > 0 } key)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Trim());
            }
            using var response = await clients.CreateClient(ClientName).SendAsync(request, limit.Token);
            response.EnsureSuccessStatusCode();
            using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(limit.Token));
            return answer.RootElement.GetProperty("results").EnumerateArray().Any(result => result.GetProperty("flagged").GetBoolean())
                ? Verdict.NotAllowed
                : Verdict.Allowed;
        }
        catch (Exception error)
            when (error is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException
                || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            logger.LogError(
                "The moderation service did not answer ({Reason}); requests are {Consequence}",
                error.GetType().Name,
                options.Value.WhenUnreachable == "allow" ? "allowed" : "refused"
            );
            return options.Value.WhenUnreachable == "allow" ? Verdict.Allowed : Verdict.Unavailable;
        }
    }

    /// <summary>A decomposed text in lower case, without accents, words parted by one space and framed by spaces, so that a phrase is found as whole words only.</summary>
    private static string Plain(string text)
    {
        var plain = new StringBuilder(" ");
        foreach (var character in text.ToLowerInvariant())
        {
            switch (CharUnicodeInfo.GetUnicodeCategory(character))
            {
                // Signs inside a word (d.r.a.g.o.n, dra-gon) and marks on letters hide nothing.
                case UnicodeCategory.NonSpacingMark:
                case UnicodeCategory.Format:
                case UnicodeCategory.OtherPunctuation:
                case UnicodeCategory.DashPunctuation:
                case UnicodeCategory.ConnectorPunctuation:
                    break;
                case UnicodeCategory.SpaceSeparator:
                case UnicodeCategory.Control:
                    if (plain[^1] != ' ')
                    {
                        plain.Append(' ');
                    }
                    break;
                default:
                    plain.Append(character == 'ı' ? 'i' : character);
                    break;
            }
        }
        if (plain[^1] != ' ')
        {
            plain.Append(' ');
        }
        return plain.ToString();
    }
}
