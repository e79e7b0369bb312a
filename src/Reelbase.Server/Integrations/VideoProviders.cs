namespace Reelbase.Server.Integrations;

/// <summary>How a provider's folder joins the program: what it is called, how it is set, and how it is made.</summary>
/// <remarks>Every class of this kind in the program is found by itself; a new provider adds a folder and rows in <c>models</c>, and changes nothing else.</remarks>
public interface IVideoProviderModule
{
    /// <summary>Its section of the configuration.</summary>
    string Section { get; }

    /// <summary>The type of that section; derived from <see cref="VideoProviderOptions"/>.</summary>
    Type OptionsType { get; }

    /// <summary>Makes the adapter; null when its keys are not configured.</summary>
    IVideoProvider? Create(IServiceProvider services);
}

/// <summary>The modules that are part of the program.</summary>
public static class VideoProviderModules
{
    /// <summary>One of each kind found in this program and in <paramref name="others"/>.</summary>
    public static IReadOnlyList<IVideoProviderModule> Find(params IEnumerable<System.Reflection.Assembly> others) =>
        [
            .. others
                .Prepend(typeof(VideoProviderModules).Assembly)
                .Distinct()
                .SelectMany(assembly => assembly.GetTypes())
                .Where(type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(IVideoProviderModule)))
                .OrderBy(type => type.Name, StringComparer.Ordinal)
                .Select(type => (IVideoProviderModule)Activator.CreateInstance(type)!),
        ];
}

/// <summary>The providers that are configured on this installation, by name.</summary>
public sealed class VideoProviders
{
    private readonly Dictionary<string, (string Section, IVideoProvider Provider)> _byName = new(StringComparer.Ordinal);

    public VideoProviders(IEnumerable<IVideoProviderModule> modules, IServiceProvider services)
    {
        foreach (var module in modules)
        {
            if (module.Create(services) is { } provider)
            {
                _byName.Add(provider.Name, (module.Section, provider));
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
