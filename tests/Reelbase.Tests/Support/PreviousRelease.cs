using System.Diagnostics;
using System.Globalization;

namespace Reelbase.Tests.Support;

/// <summary>The server of the release before this one, built from its commit: its nodes run beside ours during a roll.</summary>
public sealed class PreviousRelease
{
    private const int MaxBuildMinutes = 8;
    private static readonly Lazy<PreviousRelease> Read = new(ReadFile);
    private static readonly SemaphoreSlim Building = new(1, 1);

    private PreviousRelease(string commit, int level, string fingerprint) => (Commit, Level, Fingerprint) = (commit, level, fingerprint);

    /// <summary>What <c>database/previous-release.txt</c> says.</summary>
    public static PreviousRelease Recorded => Read.Value;

    public string Commit { get; }

    public int Level { get; }

    /// <summary>Names its whole set of SQL files.</summary>
    public string Fingerprint { get; }

    /// <summary>Kept between runs, and shared by every copy of the repository on this machine.</summary>
    private string Folder => Path.Combine(CacheRoot, "reelbase", "releases", Commit);

    private static string CacheRoot =>
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");

    private static PreviousRelease ReadFile()
    {
        var fields = File.ReadLines(Repository.PathOf("database/previous-release.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(' ', 2))
            .ToDictionary(parts => parts[0], parts => parts[1].Trim());
        return new(fields["commit"], int.Parse(fields["level"], CultureInfo.InvariantCulture), fields["files"]);
    }

    /// <summary>The program, built when it is not there yet.</summary>
    public async Task<string> ProgramAsync()
    {
        var program = Path.Combine(Folder, "bin", "Reelbase.Server.dll");
        await Building.WaitAsync();
        try
        {
            if (!File.Exists(program))
            {
                await BuildAsync();
            }
        }
        finally
        {
            Building.Release();
        }
        return program;
    }

    /// <summary>The text of the files below a path at its commit whose names end so, by their path.</summary>
    public async Task<Dictionary<string, string>> FilesAsync(string ending)
    {
        var sources = await SourcesAsync();
        return Directory
            .EnumerateFiles(sources, "*" + ending, SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(sources, file).Replace('\\', '/'), File.ReadAllText);
    }

    private async Task BuildAsync()
    {
        var sources = await SourcesAsync();
        // Another run may build the same: whoever is done first gives it its name.
        var own = $"{Folder}/build-{Environment.ProcessId}";
        await RunAsync(
            sources,
            "dotnet",
            "publish",
            "src/Reelbase.Server/Reelbase.Server.csproj",
            "-c",
            "Release",
            "-o",
            own,
            "-v",
            "quiet",
            "-p:UseSharedCompilation=false",
            "-nodeReuse:false"
        );
        Settle(own, Path.Combine(Folder, "bin"));
    }

    private async Task<string> SourcesAsync()
    {
        var sources = Path.Combine(Folder, "sources");
        if (Directory.Exists(sources))
        {
            return sources;
        }
        Directory.CreateDirectory(Folder);
        var own = $"{Folder}/sources-{Environment.ProcessId}-{Guid.NewGuid():N}";
        var archive = own + ".tar";
        // A shallow clone does not have the commit, and then this fails: a roll that nobody tried must not pass for one that works.
        await RunAsync(Repository.Root, "git", "archive", "--format=tar", "-o", archive, Commit);
        Directory.CreateDirectory(own);
        await System.Formats.Tar.TarFile.ExtractToDirectoryAsync(archive, own, overwriteFiles: true);
        File.Delete(archive);
        Settle(own, sources);
        return sources;
    }

    private static void Settle(string own, string final)
    {
        try
        {
            Directory.Move(own, final);
        }
        catch (IOException) when (Directory.Exists(final))
        {
            Directory.Delete(own, recursive: true);
        }
    }

    private static async Task RunAsync(string folder, string program, params string[] args)
    {
        var start = new ProcessStartInfo(program, args)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(MaxBuildMinutes));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.True(
            process.ExitCode == 0,
            $"The previous release is needed to try a roll, and {program} {args[0]} failed. The clone must be whole (git fetch --unshallow).\n{await output}{await errors}"
        );
    }
}
