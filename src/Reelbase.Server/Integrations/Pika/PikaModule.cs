using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Fal;

namespace Reelbase.Server.Integrations.Pika;

/// <summary>Section <c>Pika</c>: Pika's models, which their maker offers through fal. Without a key of its own, fal's account is used.</summary>
public sealed class PikaOptions : VideoProviderOptions
{
    public PikaOptions() => MediaHosts = ["fal.media", "fal.run"];
}

/// <summary>Pika as a provider of its own: fal's protocol, but its own places, budget and outages.</summary>
public sealed class PikaModule : IVideoProviderModule
{
    /// <inheritdoc/>
    public string Section => "Pika";

    /// <inheritdoc/>
    public Type OptionsType => typeof(PikaOptions);

    /// <inheritdoc/>
    public IVideoProvider? Create(IServiceProvider services)
    {
        var account = services.GetRequiredService<IOptions<FalOptions>>().Value;
        var options = services.GetRequiredService<IOptions<PikaOptions>>().Value;
        return options.ApiKey is { Length: > 0 } || account.ApiKey is { Length: > 0 } ? FalProvider.Create("pika", account, options, services) : null;
    }
}
