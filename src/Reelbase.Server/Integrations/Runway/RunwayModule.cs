using System.ComponentModel.DataAnnotations;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Integrations.Runway;

/// <summary>Section <c>Runway</c>: the account at Runway's developer API. It sends no webhooks and wants at least five seconds between polls.</summary>
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
public sealed class RunwayModule : IModule
{
    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<RunwayOptions>("Runway");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context) =>
        services.AddVideoProvider<RunwayOptions>(
            "Runway",
            (provider, options) =>
                options.ApiKey is { Length: > 0 }
                    ? new RunwayProvider(
                        options,
                        new ProviderHttp(
                            "runway",
                            options,
                            provider.GetRequiredService<IProviderHealthListener>(),
                            provider.GetRequiredService<ILogger<ProviderHttp>>()
                        )
                    )
                    : null
        );
}
