namespace Reelbase.Dev;

/// <summary>The clone that this program was built in, and where its builds lie.</summary>
internal static class SourceTree
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The server.</summary>
    public static string ServerProgram { get; } = Output("src/Reelbase.Server", "Reelbase.Server.dll");

    /// <summary>The pretend outside systems.</summary>
    public static string SimulatorsProgram { get; } = Output("src/Reelbase.Simulators", "Reelbase.Simulators.dll");

    /// <summary>The tests.</summary>
    public static string TestProgram { get; } = Output("tests/Reelbase.Tests", "Reelbase.Tests.dll");

    /// <summary>The figures.</summary>
    public static string BenchProgram { get; } = Output("bench/Reelbase.Bench", "Reelbase.Bench.dll");

    /// <summary>A file or folder of it.</summary>
    public static string PathOf(string path) => Path.Combine(Root, path);

    /// <summary>A file or folder as it was meant: where the caller stands, which is where this process was started.</summary>
    public static string FromCaller(string path) => Path.Combine(Environment.CurrentDirectory, path);

    private static string Output(string project, string file) => Path.Combine(FindRoot(), project, "bin/Release/net10.0", file);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "reelbase.slnx")))
            {
                return folder.FullName;
            }
        }
        throw Refusal.Fault("the tool lies in no clone of Reelbase; start it as ./reelbase");
    }
}
