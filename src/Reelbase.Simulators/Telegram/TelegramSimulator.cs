using System.Collections.Concurrent;
using System.Text.Json.Serialization;

namespace Reelbase.Simulators.Telegram;

/// <summary>A message that a bot sends.</summary>
public sealed record BotMessage([property: JsonPropertyName("chat_id")] string? ChatId, string? Text);

/// <summary>What bots have sent.</summary>
public sealed class TelegramState
{
    public ConcurrentQueue<(string Token, BotMessage Message, DateTime At)> Messages { get; } = new();

    /// <summary>Messages that are still to be refused as too many.</summary>
    public int Refusals { get; set; }

    public void Reset()
    {
        Messages.Clear();
        Refusals = 0;
    }
}

/// <summary>Telegram's bot API, as far as sending goes.</summary>
public static class TelegramSimulator
{
    private const int MaxLength = 4096;

    public static void MapTelegram(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(
            "/telegram/bot{token}/sendMessage",
            (string token, BotMessage message, TelegramState state) =>
            {
                if (state.Refusals > 0)
                {
                    state.Refusals--;
                    return Results.Json(
                        new
                        {
                            ok = false,
                            error_code = 429,
                            description = "Too Many Requests: retry after 1",
                            parameters = new { retry_after = 1 },
                        },
                        statusCode: 429
                    );
                }
                if (string.IsNullOrEmpty(message.ChatId) || message.Text is not { Length: > 0 and <= MaxLength })
                {
                    return Results.Json(
                        new
                        {
                            ok = false,
                            error_code = 400,
                            description = "Bad Request: message text is empty or too long",
                        },
                        statusCode: 400
                    );
                }
                state.Messages.Enqueue((token, message, DateTime.UtcNow));
                return Results.Json(new { ok = true, result = new { message_id = state.Messages.Count, text = message.Text } });
            }
        );
        routes.MapGet(
            "/_control/telegram/messages",
            (TelegramState state) =>
                Results.Json(
                    new
                    {
                        messages = state.Messages.Select(sent => new
                        {
                            chat_id = sent.Message.ChatId,
                            text = sent.Message.Text,
                            at = sent.At,
                        }),
                    }
                )
        );
        routes.MapPost(
            "/_control/telegram/refusals",
            (int count, TelegramState state) =>
            {
                state.Refusals = Math.Clamp(count, 0, 1000);
                return Results.Json(new { success = true });
            }
        );
    }
}
