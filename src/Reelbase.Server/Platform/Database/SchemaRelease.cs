using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Reelbase.Server.Platform.Database;

/// <summary>The SQL files that a program carries, and where they stand in time.</summary>
/// <param name="Level">Rises with every release that changes a SQL file; a higher one is newer.</param>
/// <param name="OldestLevel">The oldest program that still works on a database of this release.</param>
/// <param name="Files">All files, in the order in which they run.</param>
internal sealed partial record SchemaRelease(int Level, int OldestLevel, IReadOnlyList<SqlFile> Files)
{
    /// <summary>Content says that files differ, never which are newer. A test demands a higher number as soon as a file differs from the previous release's.</summary>
    public const int CurrentLevel = 3;

    /// <summary>The level of the release before this one, whose nodes run beside ours during a roll.</summary>
    public const int PreviousLevel = 1;

    /// <summary>Databases that were migrated before levels were kept.</summary>
    public const int FirstLevel = 1;

    /// <summary>What each suffix is and when its files run. Contract files take away what the new functions no longer use, so they come last.</summary>
    private static readonly string[] Order =
    [
        ".roles.sql",
        "/migrations/",
        ".function.sql",
        ".trigger.sql",
        ".policy.sql",
        ".grant.sql",
        ".seed.sql",
        ".contract.sql",
        ".concurrent.sql",
    ];

    /// <summary>What this program carries.</summary>
    public static SchemaRelease Current { get; } = new(CurrentLevel, PreviousLevel, Sort(Embedded()));

    /// <summary>Names the whole set: two programs with the same one have the same SQL.</summary>
    public string Fingerprint { get; } = FingerprintOf(Files);

    /// <summary>The files in the order in which they run.</summary>
    public static IReadOnlyList<SqlFile> Sort(IEnumerable<SqlFile> files) =>
        files
            .OrderBy(file => Array.FindLastIndex(Order, kind => file.Name.Contains(kind, StringComparison.Ordinal)))
            .ThenBy(file => file.Name, StringComparer.Ordinal)
            .ToList();

    /// <summary>The names that the files give to what they make in the schemas public and internal, parted by commas.</summary>
    public string NamesOf(string kind) =>
        string.Join(
            ',',
            Files
                .SelectMany(file => Made().Matches(file.Text))
                .Where(match => match.Groups["kind"].Value.Equals(kind, StringComparison.OrdinalIgnoreCase))
                .Select(match => match.Groups["name"].Value)
                .Distinct(StringComparer.Ordinal)
        );

    [GeneratedRegex(
        @"^create\s+(or\s+replace\s+)?(?<kind>table|function)\s+(if\s+not\s+exists\s+)?((public|internal)\.)?(?<name>[a-z0-9_]+)(?![a-z0-9_.])",
        RegexOptions.Multiline | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Made();

    private static string FingerprintOf(IEnumerable<SqlFile> files) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(string.Concat(files.OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => $"{file.Name} {file.Hash}\n")))
            )
        );

    private static IEnumerable<SqlFile> Embedded()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return assembly
            .GetManifestResourceNames()
            .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
                return new SqlFile(name, reader.ReadToEnd());
            });
    }
}

/// <summary>One SQL file.</summary>
internal sealed record SqlFile(string Name, string Text)
{
    public bool RunsOnce => Name.Contains("/migrations/", StringComparison.Ordinal);

    /// <summary>Roles, and the adoption of tables that belong to somebody else, need more rights than the owner role has.</summary>
    public bool RunsAsMigrator =>
        Text.StartsWith("-- Runs as the migrating role", StringComparison.Ordinal) || Name.EndsWith(".roles.sql", StringComparison.Ordinal);

    /// <summary>What calls that are running need before the rest is applied: committed by itself, where there is a database to be called.</summary>
    public bool RunsEarly => Name.EndsWith(".early.sql", StringComparison.Ordinal);

    /// <summary>Indexes on large tables are built beside the traffic, which PostgreSQL allows outside a transaction only.</summary>
    public bool RunsOutsideTransaction => Name.EndsWith(".concurrent.sql", StringComparison.Ordinal);

    public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text.ReplaceLineEndings("\n"))));
}
