using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Tests.Conformance.Providers.Toy;

/// <summary>Section <c>Toy</c>.</summary>
public sealed class ToyOptions : VideoProviderOptions
{
    public ToyOptions() => MediaHosts = ["toy.example"];

    /// <summary>Where it listens.</summary>
    [Required, Url]
    public string BaseUrl { get; set; } = "https://toy.example";
}

/// <summary>A provider made by the steps in CONTRIBUTING.md: this folder, its line in the list of modules and rows in <c>models</c>, nothing else.</summary>
public sealed class ToyModule : IModule
{
    public void AddOptions(OptionsRegistry options) => options.Add<ToyOptions>("Toy");

    public void AddServices(IServiceCollection services, ModuleContext context) =>
        services.AddVideoProvider<ToyOptions>(
            "Toy",
            (provider, options) =>
                options.ApiKey is { Length: > 0 }
                    ? new ToyProvider(
                        options,
                        new ProviderHttp(
                            "toy",
                            options,
                            provider.GetRequiredService<IProviderHealthListener>(),
                            provider.GetRequiredService<ILogger<ProviderHttp>>()
                        ),
                        provider.GetRequiredService<TimeProvider>()
                    )
                    : null
        );
}
