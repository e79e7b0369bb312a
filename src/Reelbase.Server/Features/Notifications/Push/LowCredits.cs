using System.Globalization;
using Reelbase.Server.Integrations.Apple.Apns;

namespace Reelbase.Server.Features.Notifications.Push;

/// <summary>
/// The push that says that credits run out. Its words are ours, in the user's language: an app that was built before there was such a push
/// has no words for it.
/// </summary>
internal static class LowCredits
{
    /// <summary>A later one takes the place of an earlier one on the phone.</summary>
    private const string CollapseId = "low_credits";

    /// <summary>The push with the balance of this moment.</summary>
    public static ApnsPush Push(ClaimedPush item, string environment, TimeSpan maxAge)
    {
        var credits = Math.Max(0, item.Credits);
        var aps = new Dictionary<string, object>();
        if (item.Kind == "background")
        {
            aps["content-available"] = 1;
        }
        else
        {
            var (title, body) = Words(item.Language, credits);
            aps["alert"] = new Dictionary<string, object> { ["title"] = title, ["body"] = body };
            aps["sound"] = "default";
            aps["thread-id"] = "credits";
            aps["interruption-level"] = "active";
        }
        return new(
            item.Id,
            item.Token,
            environment,
            item.Kind == "background",
            CollapseId,
            new DateTimeOffset(item.CreatedAt, TimeSpan.Zero) + maxAge,
            new Dictionary<string, object>
            {
                ["aps"] = aps,
                ["event"] = item.Event,
                ["credits_remaining"] = credits,
            }
        );
    }

    private static (string Title, string Body) Words(string language, int credits)
    {
        var number = credits.ToString(CultureInfo.InvariantCulture);
        return (language, credits) switch
        {
            ("tr", 0) => ("Krediniz bitti", "Yeni videolar için kredi ekleyin."),
            ("tr", _) => ("Krediniz azalıyor", $"{number} krediniz kaldı."),
            ("es", 0) => ("No te quedan créditos", "Añade créditos para crear más videos."),
            ("es", 1) => ("Te quedan pocos créditos", "Te queda 1 crédito."),
            ("es", _) => ("Te quedan pocos créditos", $"Te quedan {number} créditos."),
            (_, 0) => ("You are out of credits", "Add credits to make more videos."),
            (_, 1) => ("Your credits are running low", "You have 1 credit left."),
            _ => ("Your credits are running low", $"You have {number} credits left."),
        };
    }
}
