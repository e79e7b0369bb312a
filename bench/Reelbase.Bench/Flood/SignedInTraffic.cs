using System.Diagnostics;
using System.Text;

namespace Reelbase.Bench.Flood;

/// <summary>Users with a session who go on as always: each from an address of their own, asking for a job and for their credits in turns, twice in four seconds.</summary>
public static class SignedInTraffic
{
    /// <summary>How many; the first of the stage.</summary>
    public const int Users = 100;

    private const int Threads = 4;
    private const double PerUserPerSecond = 0.5;

    /// <summary>Milliseconds of each answer until <paramref name="isOver"/> says so.</summary>
    /// <remarks>Threads of their own, so that what is measured does not wait for the flood's client.</remarks>
    public static async Task<List<double>> RunAsync(Stage stage, Func<bool> isOver)
    {
        var all = await Task.WhenAll(
            Enumerable
                .Range(0, Threads)
                .Select(thread =>
                    Task.Factory.StartNew(() => Drive(stage, thread, isOver), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                )
        );
        return all.SelectMany(times => times).ToList();
    }

    private static List<double> Drive(Stage stage, int thread, Func<bool> isOver)
    {
        using var connection = new FloodConnection();
        connection.ConnectAsync(stage.Port, CancellationToken.None).GetAwaiter().GetResult();
        var times = new List<double>();
        var between = TimeSpan.FromSeconds(Threads / (Users * PerUserPerSecond));
        var watch = Stopwatch.StartNew();
        for (var count = 0; !isOver(); count++)
        {
            var wait = (between * count) - watch.Elapsed;
            if (wait > TimeSpan.Zero)
            {
                Thread.Sleep(wait);
            }
            var user = thread + (count * Threads % Users);
            var path = count / (Users / Threads) % 2 == 0 ? $"/get-video-status?job_id={Stage.JobId(Stage.FirstUser + user)}" : "/get-user-credits";
            var request = Encoding.ASCII.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.{user + 1}\r\nAuthorization: Bearer {stage.Tokens[user]}\r\n\r\n"
            );
            var asked = Stopwatch.GetTimestamp();
            var status = connection.Ask(request);
            times.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            if (status != 200)
            {
                throw new InvalidOperationException($"a signed-in user was answered {status}");
            }
        }
        return times;
    }
}
