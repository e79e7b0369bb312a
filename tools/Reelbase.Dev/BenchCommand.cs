using System.CommandLine;

namespace Reelbase.Dev;

/// <summary><c>./reelbase bench</c>: the figures. Its words are the bench's own.</summary>
internal static class BenchCommand
{
    private const string Peer = "bench/peer";

    /// <summary>The verb.</summary>
    public static Command New()
    {
        Command command = new("bench") { Words.Yes() };
        command.SetAction((words, stop) => RunAsync(words.UnmatchedTokens, stop));
        return command;
    }

    private static async Task<int> RunAsync(IReadOnlyList<string> words, CancellationToken stop)
    {
        await Builds.BuildServerAsync(stop);
        if (!await Builds.TryBuildAsync("bench/Reelbase.Bench/Reelbase.Bench.csproj", stop))
        {
            return 1;
        }
        // The peer of the figures; without Node they are made without it.
        if (Tools.Has("npm") && !IsPeerBuilt() && !await BuildPeerAsync(stop))
        {
            Terminal.Note("The peer could not be built; its figures are left out");
        }
        Directory.SetCurrentDirectory(SourceTree.Root);
        Call.Dotnet([SourceTree.BenchProgram, .. words]).Replace();
        return 1;
    }

    private static bool IsPeerBuilt()
    {
        var built = new FileInfo(SourceTree.PathOf($"{Peer}/dist/server.js"));
        return built.Exists
            && new DirectoryInfo(SourceTree.PathOf($"{Peer}/src"))
                .EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
                .Append(new FileInfo(SourceTree.PathOf($"{Peer}/package-lock.json")))
                .All(file => file.LastWriteTimeUtc <= built.LastWriteTimeUtc);
    }

    private static async Task<bool> BuildPeerAsync(CancellationToken stop) =>
        await Tools.InstallNodePackages(Peer).RunAsStepAsync(stop) == 0
        && await new Call("npm", "run", "--silent", "build") { Folder = SourceTree.PathOf(Peer) }.RunAsStepAsync(stop) == 0;
}
