using Reelbase.Server.Features.Admin;
using Reelbase.Server.Features.Notifications.Alerts;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Integrations.Telegram;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Doctor;

/// <summary>What the settings alone show: keys that are missing, addresses that are open to everybody.</summary>
internal static class SettingChecks
{
    /// <summary>One finding for each thing that an app or an operator would miss.</summary>
    public static IEnumerable<Finding> Examine(WebApplicationBuilder builder)
    {
        var server = Of<ServerOptions>(builder, "Server");
        var isProduction = builder.Environment.IsProduction();
        yield return Key(
            Of<DeviceCheckOptions>(builder, "DeviceCheck").IsConfigured,
            "DeviceCheck:PrivateKeyFile",
            "no key of DeviceCheck: no device is verified and no guest gets free credits"
        );
        var configured = OptionsRegistry
            .Of(Modules.All)
            .Where(section => section.Type.IsSubclassOf(typeof(VideoProviderOptions)) && builder.Configuration[$"{section.Name}:ApiKey"] is { Length: > 0 })
            .ToList();
        yield return configured.Count > 0
            ? Finding.Ok("keys", $"{string.Join(", ", configured.Select(section => section.Name))} is configured")
            : Finding.Warning(
                "keys",
                "Fal:ApiKey",
                "no provider is configured: jobs wait in the queue until their deadline",
                "set the key of a provider (docs/configuration.md)"
            );
        var store = Of<AppStoreOptions>(builder, "AppStore");
        yield return Key(store.CanVerify, "AppStore:BundleId", "purchases are off");
        yield return Key(store.CanAsk, "AppStore:PrivateKeyFile", "the App Store cannot be asked: nothing is reconciled with Apple's books");
        yield return Key(Of<AppleSignInOptions>(builder, "AppleSignIn").CanVerify, "AppleSignIn:ClientIds", "Sign in with Apple is off");
        yield return Key(Of<ApnsOptions>(builder, "Apns").IsConfigured, "Apns:PrivateKeyFile", "pushes are off");
        yield return Key(
            Of<TelegramOptions>(builder, "Telegram").IsConfigured || Of<AlertsOptions>(builder, "Alerts").WebhookUrl is { Length: > 0 },
            "Telegram:BotToken",
            "alerts reach nobody: they stay in the log and the table"
        );
        if (server.AcceptUnverifiedUserId)
        {
            yield return Finding.Warning(
                "settings",
                "Server:AcceptUnverifiedUserId",
                "anybody who knows a user_id can act as that user",
                "turn it off as soon as shipped apps send tokens"
            );
        }
        if (builder.Environment.IsDevelopment() && server.PublicUrl?.StartsWith("https://", StringComparison.OrdinalIgnoreCase) == true)
        {
            yield return Finding.Warning(
                "settings",
                "ASPNETCORE_ENVIRONMENT",
                "Development serves a public address: browsers of any origin may call, keys are made up where none is given, and whatever else makes a developer's first hour easier is open",
                "set it to Production"
            );
        }
        if (Of<AdminOptions>(builder, "Admin").AllowInsecure && isProduction)
        {
            yield return Finding.Warning("settings", "Admin:AllowInsecure", "the console is served over plain http", "reach it through a tunnel only");
        }
    }

    /// <summary>A section of the settings.</summary>
    public static T Of<T>(WebApplicationBuilder builder, string section)
        where T : class, new() => builder.Configuration.GetSection(section).Get<T>() ?? new();

    private static Finding Key(bool isThere, string key, string missing) =>
        isThere
            ? Finding.Ok("keys", $"{key.Split(':')[0]} is configured")
            : Finding.Warning("keys", key, missing, "set it (docs/configuration.md), or go without on purpose");
}
