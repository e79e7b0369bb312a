using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Reelbase.Bench;

/// <summary>
/// A client that costs little: it shares the machine with what it measures, so it sends prepared bytes over plain sockets and
/// reads no more of an answer than it must.
/// </summary>
public static class LoadGenerator
{
    /// <summary>Good answers per second over <paramref name="connections"/> connections, each waiting for its answer.</summary>
    public static async Task<double> RunAsync(Stage stage, Func<Stage, int, byte[]> request, int connections, int seconds)
    {
        var watch = Stopwatch.StartNew();
        var ends = TimeSpan.FromSeconds(seconds);
        var counts = await Task.WhenAll(Enumerable.Range(0, connections).Select(number => Task.Run(() => OneAsync(stage, request, number, watch, ends))));
        return counts.Sum() / watch.Elapsed.TotalSeconds;
    }

    private static async Task<int> OneAsync(Stage stage, Func<Stage, int, byte[]> request, int number, Stopwatch watch, TimeSpan ends)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, stage.Port);
        var random = new Random(number);
        var buffer = new byte[16 * 1024];
        var done = 0;
        while (watch.Elapsed < ends)
        {
            await socket.SendAsync(request(stage, random.Next(Stage.Users)));
            var length = 0;
            do
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(length));
                if (read == 0)
                {
                    throw new InvalidOperationException("the server closed a connection");
                }
                length += read;
            }
            while (!IsWhole(buffer.AsSpan(0, length)));
            if (!buffer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8))
            {
                throw new InvalidOperationException("the server answered " + Encoding.UTF8.GetString(buffer, 0, length));
            }
            done++;
        }
        return done;
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return false;
        }
        var start = answer.IndexOf("Content-Length: "u8);
        if (start < 0 || start > head)
        {
            return answer.EndsWith("\r\n0\r\n\r\n"u8);
        }
        var line = answer[(start + 16)..];
        return answer.Length == head + 4 + int.Parse(line[..line.IndexOf((byte)'\r')], System.Globalization.CultureInfo.InvariantCulture);
    }
}
