using System.Diagnostics;

namespace Reelbase.Dev;

/// <summary>A program with its words, and how it is run: with our terminal, with its output read, or with a log.</summary>
internal sealed record Call(string Program, params string[] Words)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Where it stands.</summary>
    public string Folder { get; init; } = SourceTree.Root;

    /// <summary>Variables beside ours.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>One of our own programs, or of the SDK's.</summary>
    public static Call Dotnet(params string[] words) => new("dotnet", words);

    /// <summary>Runs it with our terminal; answers its exit code.</summary>
    public Task<int> RunAsync(CancellationToken stop) => WaitAsync(Start(Describe()), stop);

    /// <summary>The same with its results among our steps.</summary>
    public Task<int> RunAsStepAsync(CancellationToken stop) => Shell("exec \"$@\" >&2", "sh").RunAsync(stop);

    /// <summary>Runs it with all that it says in a file.</summary>
    public Task<int> RunIntoAsync(string log, CancellationToken stop) => Shell("exec \"$@\" >\"$0\" 2>&1", log).RunAsync(stop);

    /// <summary>Runs it and returns what it printed; what it complained about goes to our terminal, or behind the text of a file.</summary>
    public async Task<(int Code, string Output)> ReadAsync(CancellationToken stop, string? log = null)
    {
        var start = (log is null ? this : Shell("exec \"$@\" 2>>\"$0\"", log)).Describe();
        start.RedirectStandardOutput = true;
        var process = Start(start);
        // Not cancelled: the program's end closes what is read.
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var code = await WaitAsync(process, stop);
        return (code, (await output).TrimEnd('\n'));
    }

    /// <summary>The same with its complaints in the text.</summary>
    public Task<(int Code, string Output)> ReadAllAsync(CancellationToken stop) => Shell("exec \"$@\" 2>&1", "sh").ReadAsync(stop);

    /// <summary>Runs it and hands over each line that it prints.</summary>
    public async Task<int> ReadLinesAsync(Action<string> take, CancellationToken stop)
    {
        var start = Describe();
        start.RedirectStandardOutput = true;
        var process = Start(start);
        var reading = Task.Run(
            async () =>
            {
                while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
                {
                    take(line);
                }
            },
            CancellationToken.None
        );
        var code = await WaitAsync(process, stop);
        await reading;
        return code;
    }

    /// <summary>
    /// Starts it beside us with a log. Ctrl-C reaches every process of a terminal at once; this one does not take it, because whoever started it ends it in order.
    /// </summary>
    public Process StartInBackground(string log) => Start(Shell("trap '' INT; exec \"$@\" </dev/null >\"$0\" 2>&1", log).Describe());

    /// <summary>It takes this process's place.</summary>
    public void Replace()
    {
        var environment = new Dictionary<string, string>(Running.OperatorSettings.ReadEnvironment());
        foreach (var (name, value) in Variables)
        {
            environment[name] = value;
        }
        // What runs this program is the dotnet that runs the other one.
        SystemCalls.Replace(Environment.ProcessPath!, Words, environment);
    }

    /// <summary>Asks a process that we started to end, and waits for it.</summary>
    public static async Task EndAsync(Process process)
    {
        if (!process.HasExited)
        {
            SystemCalls.RequestEnd(process.Id);
        }
        await process.WaitForExitAsync(CancellationToken.None);
    }

    private Call Shell(string script, string name) => this with { Program = "/bin/sh", Words = ["-c", script, name, Program, .. Words] };

    private ProcessStartInfo Describe()
    {
        var start = new ProcessStartInfo(Program, Words) { WorkingDirectory = Folder };
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }
        return start;
    }

    private static Process Start(ProcessStartInfo start) => Process.Start(start)!;

    private static async Task<int> WaitAsync(Process process, CancellationToken stop)
    {
        using (process)
        {
            try
            {
                await process.WaitForExitAsync(stop);
                return process.ExitCode;
            }
            catch (OperationCanceledException)
            {
                SystemCalls.RequestEnd(process.Id);
                using var patience = new CancellationTokenSource(Patience);
                try
                {
                    await process.WaitForExitAsync(patience.Token);
                }
                catch (OperationCanceledException)
                {
                    process.Kill(entireProcessTree: true);
                }
                throw;
            }
        }
    }
}
