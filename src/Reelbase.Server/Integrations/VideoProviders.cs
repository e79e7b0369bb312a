using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations;

/// <summary>How a provider is made, and the section of the configuration that sets it.</summary>
/// <param name="Section">The section.</param>
/// <param name="Create">Makes the adapter; null when its keys are not configured.</param>
public sealed record VideoProviderFactory(string Section, Func<IServiceProvider, IVideoProvider?> Create);

/// <summary>How a provider's module adds it.</summary>
public static class VideoProviderServices
{
    /// <summary>Adds a provider whose options are in <paramref name="section"/>; <paramref name="create"/> gives null when its keys are not configured.</summary>
    public static void AddVideoProvider<T>(this IServiceCollection services, string section, Func<IServiceProvider, T, IVideoProvider?> create)
        where T : VideoProviderOptions =>
        services.AddSingleton(new VideoProviderFactory(section, provider => create(provider, provider.GetRequiredService<IOptions<T>>().Value)));
}

/// <summary>The providers that are configured on this installation, by name.</summary>
public sealed class VideoProviders
{
    private readonly Dictionary<string, (string Section, IVideoProvider Provider)> _byName = new(StringComparer.Ordinal);

    public VideoProviders(IEnumerable<VideoProviderFactory> factories, IServiceProvider services)
    {
        foreach (var factory in factories)
        {
            if (factory.Create(services) is { } provider)
            {
                _byName.Add(provider.Name, (factory.Section, provider));
            }
        }
        All = [.. _byName.Values.Select(entry => entry.Provider)];
    }

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<IVideoProvider> All { get; }

    /// <summary>One of them, or null when it is not configured.</summary>
    public IVideoProvider? Find(string name) => _byName.TryGetValue(name, out var entry) ? entry.Provider : null;

    /// <summary>The section of the configuration that sets a provider; its name when it is not configured.</summary>
    public string SectionOf(string name) => _byName.TryGetValue(name, out var entry) ? entry.Section : name;
}
