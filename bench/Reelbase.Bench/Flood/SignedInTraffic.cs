using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Reelbase.Bench.Flood;

/// <summary>When an answer to a signed-in user was asked for, in seconds since the traffic began, and how long it took.</summary>
public readonly record struct SignedInAnswer(double AtSeconds, double Milliseconds);

/// <summary>
/// Users with a session who go on as always: each from an address of their own, asking for a job and for their credits in turns, twice in four seconds.
/// In a process of its own, so that what is measured is the server and not the client that floods it.
/// </summary>
public sealed class SignedInTraffic : IDisposable
{
    /// <summary>How many; the first of the stage.</summary>
    public const int Users = 100;

    /// <summary>What this program is started with to be that process.</summary>
    public const string Verb = "flood-users";

    private const int Threads = 4;
    private const double PerUserPerSecond = 0.5;

    private readonly Process _process;

    private SignedInTraffic(Process process) => _process = process;

    /// <summary>Starts the process; it asks nothing yet.</summary>
    public static async Task<SignedInTraffic> StartAsync(Stage stage)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(SignedInTraffic).Assembly.Location, Verb, $"{stage.Port}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        foreach (var token in stage.Tokens.Take(Users))
        {
            await process.StandardInput.WriteLineAsync(token);
        }
        return new(process);
    }

    /// <summary>Begins to ask.</summary>
    public Task GoAsync() => _process.StandardInput.WriteLineAsync("go");

    /// <summary>Ends the asking; every answer since <see cref="GoAsync"/>.</summary>
    public async Task<List<SignedInAnswer>> StopAsync()
    {
        await _process.StandardInput.WriteLineAsync("stop");
        var answers = new List<SignedInAnswer>();
        while (await _process.StandardOutput.ReadLineAsync() is { } line && line != "end")
        {
            var words = line.Split(' ');
            answers.Add(new(double.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture)));
        }
        return answers.Count > 0 ? answers : throw new InvalidOperationException("signed-in users were not answered");
    }

    /// <summary>The same for a time.</summary>
    public async Task<List<SignedInAnswer>> RunAsync(TimeSpan time)
    {
        await GoAsync();
        await Task.Delay(time);
        return await StopAsync();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It ends with its input.
        _process.StandardInput.Close();
        _process.WaitForExit(TimeSpan.FromSeconds(20));
        _process.Dispose();
    }

    /// <summary>The process itself.</summary>
    public static async Task<int> ServeAsync(int port)
    {
        var tokens = Enumerable.Range(0, Users).Select(_ => System.Console.ReadLine()!).ToList();
        while (System.Console.ReadLine() is not null)
        {
            using var stop = new CancellationTokenSource();
            var watch = Stopwatch.StartNew();
            var all = Enumerable
                .Range(0, Threads)
                .Select(thread =>
                    Task.Factory.StartNew(
                        () => Drive(port, tokens, thread, watch, stop.Token),
                        CancellationToken.None,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                )
                .ToList();
            System.Console.ReadLine();
            await stop.CancelAsync();
            foreach (var answer in (await Task.WhenAll(all)).SelectMany(answers => answers))
            {
                System.Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{answer.AtSeconds} {answer.Milliseconds}"));
            }
            System.Console.WriteLine("end");
        }
        return 0;
    }

    private static List<SignedInAnswer> Drive(int port, List<string> tokens, int thread, Stopwatch watch, CancellationToken stop)
    {
        using var connection = new FloodConnection();
        connection.ConnectAsync(port, CancellationToken.None).GetAwaiter().GetResult();
        var answers = new List<SignedInAnswer>();
        var between = TimeSpan.FromSeconds(Threads / (Users * PerUserPerSecond));
        for (var count = 0; !stop.IsCancellationRequested; count++)
        {
            var wait = (between * count) - watch.Elapsed;
            if (wait > TimeSpan.Zero)
            {
                Thread.Sleep(wait);
            }
            var user = thread + (count * Threads % Users);
            var path = count / (Users / Threads) % 2 == 0 ? $"/get-video-status?job_id={Stage.JobId(Stage.FirstUser + user)}" : "/get-user-credits";
            var request = Encoding.ASCII.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.{user + 1}\r\nAuthorization: Bearer {tokens[user]}\r\n\r\n"
            );
            var at = watch.Elapsed;
            var status = connection.Ask(request);
            answers.Add(new(at.TotalSeconds, (watch.Elapsed - at).TotalMilliseconds));
            if (status != 200)
            {
                throw new InvalidOperationException($"a signed-in user was answered {status}");
            }
        }
        return answers;
    }
}
