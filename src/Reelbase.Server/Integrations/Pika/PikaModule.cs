using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Fal;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Integrations.Pika;

/// <summary>Section <c>Pika</c>: Pika's models, which their maker offers through fal. Without a key of its own, fal's account is used.</summary>
public sealed class PikaOptions : VideoProviderOptions
{
    public PikaOptions() => MediaHosts = ["fal.media", "fal.run"];
}

/// <summary>Pika as a provider of its own: fal's protocol, but its own places, budget and outages.</summary>
public sealed class PikaModule : IModule
{
    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<PikaOptions>("Pika");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context) =>
        services.AddVideoProvider<PikaOptions>(
            "Pika",
            (provider, options) =>
            {
                var account = provider.GetRequiredService<IOptions<FalOptions>>().Value;
                return options.ApiKey is { Length: > 0 } || account.ApiKey is { Length: > 0 } ? FalProvider.Create("pika", account, options, provider) : null;
            }
        );
}
