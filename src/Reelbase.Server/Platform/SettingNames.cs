using System.Collections;
using Quickenshtein;

namespace Reelbase.Server.Platform;

/// <summary>Finds settings that nothing reads, so that a slip of the pen is refused at start instead of being ignored for months.</summary>
public static class SettingNames
{
    /// <summary>What our environment variables begin with.</summary>
    public const string EnvironmentPrefix = "REELBASE__";

    /// <summary>What settings begin with that somebody proposes, such as <c>./reelbase run</c>: everything that an operator has given anywhere wins over them.</summary>
    public const string ProposalPrefix = "REELBASE_DEFAULT__";

    /// <summary>A name that differs in more letters is another name.</summary>
    private const int MaxDistance = 3;

    /// <summary>What .NET's host reads from the same files and variables.</summary>
    private static readonly string[] HostSections =
    [
        "Logging",
        "AllowedHosts",
        "Kestrel",
        "Urls",
        "Http_Ports",
        "Https_Ports",
        "Environment",
        "ContentRoot",
        "ApplicationName",
        "ShutdownTimeoutSeconds",
        "HostBuilder",
        "DetailedErrors",
    ];

    /// <summary>One sentence for each setting that belongs to no section, or to a section that has none of that name.</summary>
    /// <param name="configuration">Every source together.</param>
    /// <param name="sections">The sections and their types; a section may have several.</param>
    public static IEnumerable<string> FindUnknown(IConfiguration configuration, IReadOnlyCollection<(string Section, Type Type)> sections)
    {
        var names = sections.Select(section => section.Section).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var ours = OwnSections(configuration);
        foreach (
            var section in configuration.GetChildren().Where(section => section.GetChildren().Any()).OrderBy(section => section.Key, StringComparer.Ordinal)
        )
        {
            var types = sections.Where(known => known.Section.Equals(section.Key, StringComparison.OrdinalIgnoreCase)).Select(known => known.Type).ToList();
            if (types.Count > 0)
            {
                var properties = types.SelectMany(type => type.GetProperties()).ToList();
                foreach (var setting in section.GetChildren())
                {
                    var property = properties.Find(known => known.Name.Equals(setting.Key, StringComparison.OrdinalIgnoreCase));
                    if (property is null)
                    {
                        yield return $"{section.Key}:{setting.Key} is no setting{Hint(setting.Key, properties.Select(known => known.Name), section.Key + ":")}";
                    }
                    else if (typeof(IDictionary).IsAssignableFrom(property.PropertyType) && setting.Value is { Length: > 0 })
                    {
                        yield return $"{section.Key}:{property.Name} takes values by name, as {section.Key}:{property.Name}:NAME";
                    }
                    else if (IsSingle(property.PropertyType) && setting.GetChildren().FirstOrDefault() is { } below)
                    {
                        yield return $"{below.Path} is no setting; {section.Key}:{property.Name} takes one value";
                    }
                }
            }
            else if (!HostSections.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
            {
                var near = Nearest(section.Key, names);
                // The environment holds other programs' variables too; only what is meant for us, or nearly is a section of ours, is judged.
                if (near is not null || ours.Contains(section.Key))
                {
                    var first = section.GetChildren().First();
                    yield return $"{first.Path} is no setting{Hint(section.Key, names, "", ":" + first.Key)}";
                }
            }
        }
    }

    /// <summary>The name that was probably meant; null when none is near.</summary>
    public static string? Nearest(string given, IEnumerable<string> known) =>
        known
            .Select(name => (Name: name, Distance: Levenshtein.GetDistance(given.ToUpperInvariant(), name.ToUpperInvariant())))
            // A short name has few letters to be wrong in.
            .Where(candidate => candidate.Distance <= Math.Min(MaxDistance, (candidate.Name.Length / 3) + 1))
            .OrderBy(candidate => candidate.Distance)
            .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();

    /// <summary><c>; did you mean X?</c>, or the page that lists all.</summary>
    public static string Hint(string given, IEnumerable<string> known, string before = "", string after = "") =>
        Nearest(given, known) is { } near ? $"; did you mean {before}{near}{after}?" : "; docs/configuration.md lists them";

    private static bool IsSingle(Type type) => type == typeof(string) || Nullable.GetUnderlyingType(type) is not null || type.IsValueType;

    private static HashSet<string> OwnSections(IConfiguration configuration)
    {
        var own = Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Select(variable => (string)variable.Key)
            .Where(name => name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase))
            .Select(name => name[EnvironmentPrefix.Length..].Split("__")[0])
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var file in (configuration as IConfigurationRoot)?.Providers.OfType<FileConfigurationProvider>() ?? [])
        {
            own.UnionWith(file.GetChildKeys([], null));
        }
        return own;
    }
}
