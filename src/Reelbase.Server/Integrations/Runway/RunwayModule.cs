using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations.Runway;

/// <summary>Section <c>Runway</c>: the account at Runway's developer API. It sends no webhooks and wants at least five seconds between looks.</summary>
public sealed class RunwayOptions : VideoProviderOptions
{
    public RunwayOptions()
    {
        MinPollSeconds = 5;
        MediaHosts = ["runwayml.com", "cloudfront.net"];
    }

    /// <summary>The API, without <c>/v1</c>.</summary>
    [Required, Url]
    public string BaseUrl { get; set; } = "https://api.dev.runwayml.com";
}

/// <summary>Runway.</summary>
public sealed class RunwayModule : IVideoProviderModule
{
    /// <inheritdoc/>
    public string Section => "Runway";

    /// <inheritdoc/>
    public Type OptionsType => typeof(RunwayOptions);

    /// <inheritdoc/>
    public IVideoProvider? Create(IServiceProvider services) =>
        services.GetRequiredService<IOptions<RunwayOptions>>().Value is { ApiKey.Length: > 0 } options
            ? new RunwayProvider(
                options,
                new ProviderHttp(
                    "runway",
                    options,
                    services.GetRequiredService<IProviderHealthListener>(),
                    services.GetRequiredService<ILogger<ProviderHttp>>()
                )
            )
            : null;
}
