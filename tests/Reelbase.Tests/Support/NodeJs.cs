using System.Diagnostics;

namespace Reelbase.Tests.Support;

/// <summary>JavaScript programs of the repository: the vendors' own clients, and ours. Packages are installed once a run.</summary>
public static class NodeJs
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "vendor-clients");
    private static readonly SemaphoreSlim Installing = new(1, 1);

    /// <summary>Runs a file of theirs and answers what it printed.</summary>
    public static Task<string> RunAsync(Dictionary<string, string> environment, params string[] args) => RunInAsync(Folder, environment, "node", args);

    /// <summary>Runs a program in a folder of the repository whose packages are installed from its lock file first.</summary>
    public static async Task<string> RunInAsync(string folder, Dictionary<string, string> environment, string program, params string[] args)
    {
        await Installing.WaitAsync();
        try
        {
            // The lock file that npm leaves says for what the folder was installed.
            var done = Path.Combine(folder, "node_modules", ".package-lock.json");
            if (!File.Exists(done) || File.GetLastWriteTimeUtc(done) < File.GetLastWriteTimeUtc(Path.Combine(folder, "package-lock.json")))
            {
                await StartAsync(folder, [], "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
            }
        }
        finally
        {
            Installing.Release();
        }
        return await StartAsync(folder, environment, program, args);
    }

    /// <summary>Runs a program and answers what it printed; fails when it fails.</summary>
    public static async Task<string> StartAsync(string folder, Dictionary<string, string> environment, string program, params string[] args)
    {
        var start = new ProcessStartInfo(program, args)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        var text = await output;
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', args)} ended with {process.ExitCode}:\n{text}{await errors}");
        return text;
    }
}
