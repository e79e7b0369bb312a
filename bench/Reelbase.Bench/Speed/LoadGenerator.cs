using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Reelbase.Bench.Speed;

/// <summary>
/// A client that costs little, as it shares the machine with what it measures: two threads, like pgbench's, that keep
/// their connections with poll and read no more of an answer than they must.
/// </summary>
public static class LoadGenerator
{
    private const int Threads = 2;

    /// <summary>Milliseconds of every good answer over <paramref name="connections"/> connections, each waiting for its answer; the ports take their share of the threads.</summary>
    public static async Task<(List<double> Milliseconds, double Seconds)> RunAsync(
        IReadOnlyList<int> ports,
        Func<Random, byte[]> request,
        int connections,
        double seconds
    )
    {
        var watch = Stopwatch.StartNew();
        var ends = TimeSpan.FromSeconds(seconds);
        var times = await Task.WhenAll(
            Enumerable
                .Range(0, Threads)
                .Select(thread =>
                    Task.Factory.StartNew(
                        () => Drive(ports[thread % ports.Count], request, connections / Threads, watch, ends),
                        CancellationToken.None,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                )
        );
        return (times.SelectMany(time => time).ToList(), watch.Elapsed.TotalSeconds);
    }

    private static List<double> Drive(int port, Func<Random, byte[]> request, int connections, Stopwatch watch, TimeSpan ends)
    {
        var random = new Random();
        var all = Enumerable.Range(0, connections).Select(_ => new Connection(port)).ToDictionary(connection => connection.Socket);
        var times = new List<double>(200_000);
        try
        {
            foreach (var connection in all.Values)
            {
                connection.Send(request(random));
            }
            while (watch.Elapsed < ends)
            {
                var ready = all.Keys.ToList();
                Socket.Select(ready, null, null, 1_000_000);
                foreach (var socket in ready)
                {
                    var connection = all[socket];
                    if (connection.ReceiveIsWhole())
                    {
                        times.Add(Stopwatch.GetElapsedTime(connection.Asked).TotalMilliseconds);
                        connection.Send(request(random));
                    }
                }
            }
            return times;
        }
        finally
        {
            foreach (var socket in all.Keys)
            {
                socket.Dispose();
            }
        }
    }

    private sealed class Connection
    {
        private readonly byte[] _buffer = new byte[16 * 1024];
        private int _length;

        public Connection(int port)
        {
            Socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            Socket.Connect(IPAddress.Loopback, port);
        }

        public Socket Socket { get; }
        public long Asked { get; private set; }

        public void Send(byte[] request)
        {
            Asked = Stopwatch.GetTimestamp();
            Socket.Send(request);
        }

        /// <summary>Takes what is there; true when an answer is complete, and it was a good one.</summary>
        public bool ReceiveIsWhole()
        {
            var read = Socket.Receive(_buffer, _length, _buffer.Length - _length, SocketFlags.None);
            _length += read;
            var answer = _buffer.AsSpan(0, _length);
            if (read == 0)
            {
                throw new InvalidOperationException("the server closed a connection");
            }
            if (!IsWhole(answer))
            {
                return false;
            }
            if (!answer.StartsWith("HTTP/1.1 200"u8))
            {
                throw new InvalidOperationException("the server answered " + Encoding.UTF8.GetString(answer));
            }
            _length = 0;
            return true;
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
            return answer.Length == head + 4 + int.Parse(line[..line.IndexOf((byte)'\r')], CultureInfo.InvariantCulture);
        }
    }
}
