namespace Reelbase.Server.Integrations;

/// <summary>The providers that are configured on this installation, by name.</summary>
public sealed class VideoProviders(IEnumerable<IVideoProvider> providers)
{
    private readonly Dictionary<string, IVideoProvider> _byName = providers.ToDictionary(provider => provider.Name, StringComparer.Ordinal);

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<IVideoProvider> All => _byName.Values;

    /// <summary>One of them, or null when it is not configured.</summary>
    public IVideoProvider? Find(string name) => _byName.GetValueOrDefault(name);
}
