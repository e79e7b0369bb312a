using System.Text.RegularExpressions;

namespace Reelbase.Dev;

/// <summary>Builds what is needed. What has to be built anew is MSBuild's decision; asking it takes seconds, so it is not asked while no file has changed.</summary>
internal static partial class Builds
{
    private const int ShownErrors = 20;
    private static readonly string[] Everything =
    [
        ".editorconfig",
        "global.json",
        "reelbase.slnx",
        "bench",
        "clients/dotnet",
        "database",
        "src",
        "tests",
        "tools",
    ];

    [GeneratedRegex("error|NU[0-9]+")]
    private static partial Regex Reason();

    /// <summary>The server and the simulators.</summary>
    public static async Task BuildServerAsync(CancellationToken stop)
    {
        var stamp = SourceTree.PathOf("src/Reelbase.Server/obj/reelbase.built");
        var isThere = File.Exists(SourceTree.ServerProgram) && File.Exists(SourceTree.SimulatorsProgram);
        if (isThere && IsUnchanged(stamp, ["global.json", "database", "src"]))
        {
            return;
        }
        Terminal.Step(isThere ? "Building" : "Building (the first time it takes a minute or two)");
        var next = await BeginAsync(stamp, ["src"]);
        var log = SourceTree.PathOf("src/Reelbase.Server/obj/build.log");
        foreach (var project in (string[])["Server", "Simulators"])
        {
            await BuildAsync($"src/Reelbase.{project}/Reelbase.{project}.csproj", log, stop);
        }
        File.Move(next, stamp, overwrite: true);
    }

    /// <summary>Everything, the tests too. In haste it is not asked for where no file has changed.</summary>
    public static async Task BuildTestsAsync(string log, bool inHaste, CancellationToken stop)
    {
        var stamp = SourceTree.PathOf("tests/Reelbase.Tests/obj/reelbase.built");
        if (inHaste && File.Exists(SourceTree.TestProgram) && IsUnchanged(stamp, Everything))
        {
            return;
        }
        Terminal.Step("Building");
        await File.WriteAllTextAsync(log, "", stop);
        var next = await BeginAsync(stamp, ["src", "tests", "bench", "clients/dotnet", "tools"]);
        await BuildAsync("reelbase.slnx", log, stop);
        File.Move(next, stamp, overwrite: true);
    }

    /// <summary>A project, with what the compiler says on our terminal; answers whether it worked.</summary>
    public static async Task<bool> TryBuildAsync(string project, CancellationToken stop) => await Build(project).RunAsync(stop) == 0;

    /// <summary>A project, with all that is said in a file; answers whether it worked.</summary>
    public static async Task<bool> TryBuildAsync(string project, string log, CancellationToken stop) => await Build(project).RunIntoAsync(log, stop) == 0;

    /// <summary>The lines of a log that say what is wrong.</summary>
    public static IEnumerable<string> Errors(string log) =>
        File.ReadLines(log).Where(line => Reason().IsMatch(line)).Distinct().Order(StringComparer.Ordinal).Take(ShownErrors);

    /// <summary>
    /// Whether nothing below these paths is newer than a stamp, whatever its name ends with (a page, a style, a text, SQL); folders count too, because a file may have been removed.
    /// </summary>
    internal static bool IsUnchanged(string stamp, IEnumerable<string> paths)
    {
        if (!File.Exists(stamp))
        {
            return false;
        }
        var built = File.GetLastWriteTimeUtc(stamp);
        return !paths
            .Select(SourceTree.PathOf)
            .Concat(Directory.EnumerateFiles(SourceTree.Root, "Directory.*.props"))
            .Any(path => Directory.Exists(path) ? HasNewer(new DirectoryInfo(path), built) : File.GetLastWriteTimeUtc(path) > built);
    }

    private static bool HasNewer(DirectoryInfo folder, DateTime built) =>
        folder.LastWriteTimeUtc > built
        || folder
            .EnumerateFileSystemInfos()
            .Any(entry =>
                entry is DirectoryInfo inner
                    ? inner.Name is not ("obj" or "bin" or "node_modules") && inner.LinkTarget is null && HasNewer(inner, built)
                    : entry.Extension != ".log" && entry.LastWriteTimeUtc > built
            );

    /// <summary>What changes while it builds is newer than the stamp, and what a first build makes is not.</summary>
    private static async Task<string> BeginAsync(string stamp, string[] folders)
    {
        foreach (var project in folders.SelectMany(folder => FindProjects(new DirectoryInfo(SourceTree.PathOf(folder)))).ToList())
        {
            Directory.CreateDirectory(Path.Combine(project, "obj"));
            Directory.CreateDirectory(Path.Combine(project, "bin"));
        }
        await File.WriteAllTextAsync(stamp + ".new", "");
        return stamp + ".new";
    }

    private static IEnumerable<string> FindProjects(DirectoryInfo folder) =>
        folder.EnumerateFiles("*.csproj").Any()
            ? [folder.FullName]
            : folder.EnumerateDirectories().Where(inner => inner.Name is not ("obj" or "bin" or "node_modules")).SelectMany(FindProjects);

    private static async Task BuildAsync(string project, string log, CancellationToken stop)
    {
        var isBuilt = await Progress.ShowAsync("still building", TryBuildAsync(project, log, stop));
        if (!isBuilt)
        {
            Errors(log).ToList().ForEach(Terminal.Note);
            throw Refusal.Fault($"the build failed; the whole log is {log}");
        }
    }

    private static Call Build(string project) => Call.Dotnet("build", project, "-c", "Release", "-v", "quiet");
}
