using System.Diagnostics;
using System.Globalization;

namespace Reelbase.Bench.Speed;

/// <summary>A server that is measured beside ours, in a process of its own: it writes its port, and ends with its input.</summary>
public sealed class ChildServer : IDisposable
{
    private readonly Process _process;

    private ChildServer(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }
    public int ProcessId => _process.Id;

    public static async Task<ChildServer> StartAsync(string program, string[] arguments, IReadOnlyDictionary<string, string> settings)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start)!;
        var port = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"{program} {arguments[0]} did not start");
        return new(process, int.Parse(port, CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
        {
            _process.Kill();
        }
        _process.Dispose();
    }
}
