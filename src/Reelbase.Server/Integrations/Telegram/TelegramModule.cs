using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Integrations.Telegram;

/// <summary>Telegram, which alerts go to.</summary>
public sealed class TelegramModule : IModule
{
    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<TelegramOptions>("Telegram");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddOutsideClient(TelegramClient.ClientName, "telegram", OutsideClients.MaxAnswerBytes);
        services.AddSingleton<TelegramClient>();
    }
}
