using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>fal.ai with all its model families.</summary>
public sealed class FalModule : IModule
{
    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<FalOptions>("Fal");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddOutsideClient("fal-keys", "fal_keys", OutsideClients.MaxAnswerBytes);
        services.AddSingleton<FalWebhookKeys>();
        services.AddSingleton<FalWebhooks>();
        services.AddVideoProvider<FalOptions>(
            "Fal",
            (provider, options) => options.ApiKey is { Length: > 0 } ? FalProvider.Create("fal", options, options, provider) : null
        );
    }
}
