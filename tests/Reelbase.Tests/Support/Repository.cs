namespace Reelbase.Tests.Support;

/// <summary>The source tree that the tests were built from.</summary>
public static class Repository
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file or folder of it.</summary>
    public static string PathOf(string path) => Path.Combine(Root, path);

    /// <summary>Files below a folder, without what builds leave there.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory
            .EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Where(file =>
                !file.Contains("/obj/", StringComparison.Ordinal)
                && !file.Contains("/bin/", StringComparison.Ordinal)
                && !file.Contains("/node_modules/", StringComparison.Ordinal)
            );

    /// <summary>Compares a generated document with the approved one, or approves it when asked to.</summary>
    public static async Task AssertApprovedAsync(string path, string text)
    {
        var file = Path.Combine(Root, path);
        if (Environment.GetEnvironmentVariable("REELBASE_APPROVE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text);
        }
        var approved = File.Exists(file) ? await File.ReadAllTextAsync(file) : "";
        Assert.True(approved == text, $"{path} is stale: run ./reelbase docs, and review what changed. {FirstDifference(approved, text)}");
    }

    private static string FirstDifference(string approved, string text)
    {
        var (old, now) = (approved.Split('\n'), text.Split('\n'));
        for (var line = 0; line < Math.Max(old.Length, now.Length); line++)
        {
            var (before, after) = (line < old.Length ? old[line] : "(end)", line < now.Length ? now[line] : "(end)");
            if (before != after)
            {
                return $"Line {line + 1}: approved \"{before}\", now \"{after}\"";
            }
        }
        return "";
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "reelbase.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("the tests must lie inside the source tree");
    }
}
