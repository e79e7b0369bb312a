using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations.Telegram;

/// <summary>Section <c>Telegram</c>: a bot that notifies the operator.</summary>
public sealed class TelegramOptions
{
    /// <summary>The bot's token, from @BotFather.</summary>
    public string? BotToken { get; set; }

    /// <summary>The chat to write to.</summary>
    public string? ChatId { get; set; }

    /// <summary>The bot API's host.</summary>
    [Required, Url]
    public string BaseUrl { get; set; } = "https://api.telegram.org";

    /// <summary>Whether there is a bot.</summary>
    public bool IsConfigured => BotToken is { Length: > 0 } && ChatId is { Length: > 0 };
}
