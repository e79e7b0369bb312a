using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Reelbase.Bench.Realtime;

namespace Reelbase.Bench.Streams;

/// <summary>One event stream of a client that holds next to nothing: no buffer while nothing comes, no timer, no task but the one that reads.</summary>
public sealed class EventLink : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    [ThreadStatic]
    private static byte[]? _shared;

    private readonly int _number;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[]? _rest;

    private EventLink(int number) => _number = number;

    /// <summary>Opens a stream and reads until its first event is here.</summary>
    public static async Task<EventLink> OpenAsync(int number, IPAddress from, int port, string path, string token, CancellationToken cancellationToken)
    {
        var link = new EventLink(number);
        try
        {
            link._socket.Bind(new IPEndPoint(from, 0));
            await link._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
            // What URLSession sends, by and large.
            var request = Encoding.ASCII.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\nUser-Agent: Reelbase/1 CFNetwork/3826.500.131 Darwin/24.5.0\r\nAccept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\r\n"
            );
            await link._socket.SendAsync(request, cancellationToken);
            var answer = new byte[8192];
            for (var length = 0; answer.AsSpan(0, length).IndexOf("\ndata: "u8) is var at && (at < 0 || answer.AsSpan(at, length - at).IndexOf("\n\n"u8) < 0); )
            {
                var read = await link._socket.ReceiveAsync(answer.AsMemory(length), cancellationToken);
                length += read;
                if (read == 0 || length == answer.Length || (length > 12 && !answer.AsSpan().StartsWith("HTTP/1.1 200"u8)))
                {
                    throw new IOException("no stream: " + Encoding.UTF8.GetString(answer, 0, Math.Min(length, 600)));
                }
            }
            return link;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    /// <summary>Reads until the other side or this one closes; gives each whole event and comment.</summary>
    public async Task ReadAsync(TextReceived received)
    {
        try
        {
            do
            {
                await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
            } while (Take(received));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // It has ended; whoever opened it counts those that were to stay.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private bool Take(TextReceived received)
    {
        var buffer = _shared ??= new byte[BufferBytes];
        var length = _rest?.Length ?? 0;
        _rest?.CopyTo(buffer, 0);
        _rest = null;
        var read = _socket.Receive(buffer, length, buffer.Length - length, SocketFlags.None);
        var at = Stopwatch.GetTimestamp();
        if (read == 0)
        {
            return false;
        }
        ReadOnlySpan<byte> left = buffer.AsSpan(0, length + read);
        while (left.IndexOf("\n\n"u8) is var end and >= 0)
        {
            received(_number, left[..end], at);
            left = left[(end + 2)..];
        }
        _rest = left.IsEmpty ? null : left.ToArray();
        // The last chunk: the stream has ended, whether or not the connection is kept for another request.
        return !left.EndsWith("\r\n0\r\n\r\n"u8);
    }
}
