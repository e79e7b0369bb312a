using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>fal.ai with all its model families.</summary>
public sealed class FalModule : IVideoProviderModule
{
    /// <inheritdoc/>
    public string Section => "Fal";

    /// <inheritdoc/>
    public Type OptionsType => typeof(FalOptions);

    /// <inheritdoc/>
    public IVideoProvider? Create(IServiceProvider services) =>
        services.GetRequiredService<IOptions<FalOptions>>().Value is { ApiKey.Length: > 0 } options
            ? FalProvider.Create("fal", options, options, services)
            : null;
}
