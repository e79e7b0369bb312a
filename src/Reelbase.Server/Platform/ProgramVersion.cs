using System.Reflection;
using System.Text.RegularExpressions;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform;

/// <summary>Which program this is, in the words that health, metrics, the console and the command line all use.</summary>
public static partial class ProgramVersion
{
    private const int CommitLetters = 12;

    /// <summary>The release.</summary>
    public static string Release { get; } = typeof(ProgramVersion).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>The commit that it was built from; empty when the build knew none.</summary>
    public static string Commit { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit, ..]
            ? commit[..Math.Min(CommitLetters, commit.Length)]
            : "";

    /// <summary>The SQL that it carries: the last once-only migration, and what names all files together.</summary>
    public static string Schema { get; } = SchemaOf(SchemaRelease.Current);

    /// <summary>All of it in one line.</summary>
    public static string Line => $"Reelbase {Release}, commit {(Commit.Length > 0 ? Commit : "unknown")}, schema {Schema}";

    private static string SchemaOf(SchemaRelease release) =>
        $"{release.Files.Where(file => file.RunsOnce).Select(file => Number().Match(file.Name).Groups[1].Value).Max(StringComparer.Ordinal)}-{release.Fingerprint[..8]}";

    [GeneratedRegex(@"/([0-9]{4})_[^/]*\z")]
    private static partial Regex Number();
}
