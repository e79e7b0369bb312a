namespace Reelbase.Dev.Testing;

/// <summary>The test program with its log, and what of that is shown.</summary>
internal static class TestProgram
{
    /// <summary>Some of its tests.</summary>
    public static Call Of(params string[] words) => Call.Dotnet([SourceTree.TestProgram, "--progress", "off", "--no-ansi", .. words]);

    /// <summary>Runs it whole: its children end before we do.</summary>
    public static async Task<int> RunAsync(
        string log,
        string seed,
        IReadOnlyDictionary<string, string> variables,
        IEnumerable<string> words,
        CancellationToken stop
    )
    {
        Terminal.Step($"Testing (seed {seed})");
        var call = Of([.. words]) with { Variables = variables };
        using var process = call.StartInBackground(log);
        try
        {
            await Progress.ShowAsync("still testing", WaitAsync());
        }
        finally
        {
            await Call.EndAsync(process);
        }
        var report = TestReport.Read(File.ReadLines(log));
        report.Failures.ToList().ForEach(Terminal.Say);
        report.LastLines.ToList().ForEach(Terminal.Say);
        if (process.ExitCode != 0)
        {
            Terminal.Say($"The whole log is {log}; the same chance again: --seed {seed}");
        }
        Terminal.Say($"{report.Passed} passed, {report.Failed} failed");
        return process.ExitCode;

        async Task<bool> WaitAsync()
        {
            await process.WaitForExitAsync(stop);
            return true;
        }
    }
}
