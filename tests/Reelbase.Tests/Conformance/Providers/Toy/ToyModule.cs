using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;

namespace Reelbase.Tests.Conformance.Providers.Toy;

/// <summary>Section <c>Toy</c>.</summary>
public sealed class ToyOptions : VideoProviderOptions
{
    public ToyOptions() => MediaHosts = ["toy.example"];

    /// <summary>Where it listens.</summary>
    [Required, Url]
    public string BaseUrl { get; set; } = "https://toy.example";
}

/// <summary>A provider made by the steps in CONTRIBUTING.md: this folder and rows in <c>models</c>, nothing else.</summary>
public sealed class ToyModule : IVideoProviderModule
{
    public string Section => "Toy";

    public Type OptionsType => typeof(ToyOptions);

    public IVideoProvider? Create(IServiceProvider services) =>
        services.GetRequiredService<IOptions<ToyOptions>>().Value is { ApiKey.Length: > 0 } options
            ? new ToyProvider(
                options,
                new ProviderHttp("toy", options, services.GetRequiredService<IProviderHealthListener>(), services.GetRequiredService<ILogger<ProviderHttp>>()),
                services.GetRequiredService<TimeProvider>()
            )
            : null;
}
