using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations.Telegram;

/// <summary>Telegram's bot API. Source of the rules: core.telegram.org/bots/api, "sendMessage" and "Making requests".</summary>
public sealed class TelegramClient(IHttpClientFactory clients, IOptions<TelegramOptions> options)
{
    /// <summary>The name of its HTTP client.</summary>
    public const string ClientName = "telegram";

    /// <summary>The longest message that Telegram takes.</summary>
    public const int MaxLength = 4096;

    /// <summary>Whether there is a bot.</summary>
    public bool IsConfigured => options.Value.IsConfigured;

    /// <summary>Sends plain text.</summary>
    /// <returns>Null when it was taken; else why not, and after how many seconds Telegram asks to come again.</returns>
    public async Task<(string Reason, double? RetryAfterSeconds)?> SendAsync(string text, CancellationToken cancellationToken)
    {
        using var response = await clients
            .CreateClient(ClientName)
            .PostAsJsonAsync(
                $"{options.Value.BaseUrl.TrimEnd('/')}/bot{options.Value.BotToken}/sendMessage",
                new
                {
                    chat_id = options.Value.ChatId,
                    text = text.Length <= MaxLength ? text : text[..(MaxLength - 1)] + "…",
                    disable_web_page_preview = true,
                },
                cancellationToken
            );
        if (response.IsSuccessStatusCode)
        {
            return null;
        }
        double? wait = null;
        try
        {
            using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
            wait = body.RootElement.Child("parameters")?.Number("retry_after");
        }
        catch (JsonException)
        {
            // The status has to do.
        }
        return ($"Telegram answered {(int)response.StatusCode}", wait);
    }
}
