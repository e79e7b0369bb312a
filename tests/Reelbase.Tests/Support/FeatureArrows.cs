using System.Text.RegularExpressions;

namespace Reelbase.Tests.Support;

/// <summary>Which feature's source names what of which other one: by <c>using</c>, by a qualified name, or by the tag of a console component; in C# and in pages.</summary>
public static partial class FeatureArrows
{
    private const string Folder = "src/Reelbase.Server/Features";

    /// <summary>From, to, and the file that says so.</summary>
    public static IReadOnlyList<(string From, string To, string File)> Read()
    {
        var sources = Repository
            .Files(Folder, "*.cs")
            .Concat(Repository.Files(Folder, "*.razor"))
            .Select(file => (Feature: FeatureOf(file), File: file, Code: Comment().Replace(File.ReadAllText(file), "")))
            .ToList();
        var features = sources.Select(source => source.Feature).ToHashSet();
        var types = sources
            .SelectMany(source => Declares().Matches(source.Code).Select(match => (source.Feature, Type: match.Groups[1].Value)))
            .Concat(sources.Where(source => IsPage(source.File)).Select(source => (source.Feature, Type: Path.GetFileNameWithoutExtension(source.File))))
            .ToHashSet();
        var components = sources
            .Where(source => IsPage(source.File))
            .ToLookup(source => Path.GetFileNameWithoutExtension(source.File), source => source.Feature);
        return
        [
            .. from source in sources
            from to in Imports()
                .Matches(source.Code)
                .Select(match => match.Groups[1].Value)
                .Concat(
                    from match in Qualified().Matches(source.Code)
                    where types.Contains((match.Groups[1].Value, match.Groups[2].Value)) || types.Contains((match.Groups[1].Value, match.Groups[3].Value))
                    select match.Groups[1].Value
                )
                .Concat(IsPage(source.File) ? Tag().Matches(source.Code).SelectMany(match => components[match.Groups[1].Value]) : [])
                .Distinct()
            where to != source.Feature && features.Contains(to)
            select (source.Feature, to, Path.GetRelativePath(Repository.Root, source.File)),
        ];
    }

    /// <summary>A way that ends where it begins; empty when there is none.</summary>
    public static IReadOnlyList<string> FindCircle(IEnumerable<(string From, string To)> arrows)
    {
        var next = arrows.ToLookup(arrow => arrow.From, arrow => arrow.To);
        var done = new HashSet<string>();
        var way = new List<string>();
        return next.Select(group => group.Key).Order(StringComparer.Ordinal).Select(Walk).FirstOrDefault(circle => circle.Count > 0) ?? [];

        IReadOnlyList<string> Walk(string feature)
        {
            if (way.IndexOf(feature) is >= 0 and var start)
            {
                return [.. way[start..], feature];
            }
            if (!done.Add(feature))
            {
                return [];
            }
            way.Add(feature);
            var circle = next[feature].Select(Walk).FirstOrDefault(found => found.Count > 0) ?? [];
            way.RemoveAt(way.Count - 1);
            return circle;
        }
    }

    /// <summary>The feature of a file.</summary>
    public static string FeatureOf(string file) => Path.GetRelativePath(Path.Combine(Repository.Root, Folder), file).Split('/')[0];

    private static bool IsPage(string file) => file.EndsWith(".razor", StringComparison.Ordinal);

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(?:class|record|struct|interface|enum) (\w+)")]
    private static partial Regex Declares();

    [GeneratedRegex(@"\bFeatures\.(\w+)")]
    private static partial Regex Imports();

    /// <summary>Inside a feature another one's name is enough: <c>Files.FileRemover</c>.</summary>
    [GeneratedRegex(@"(?<![\w.])(\w+)\.(\w+)(?:\.(\w+))?")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"<([A-Z]\w+)")]
    private static partial Regex Tag();
}
