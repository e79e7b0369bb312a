using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Reelbase.Bench.Flood;

/// <summary>One kept connection that asks and reads the status of a whole answer, and no more of it than it must.</summary>
public sealed class FloodConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[2048];

    public async Task ConnectAsync(int port, CancellationToken cancellationToken) =>
        await _socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);

    /// <summary>The status of the answer.</summary>
    public async Task<int> AskAsync(byte[] request, CancellationToken cancellationToken)
    {
        await _socket.SendAsync(request, cancellationToken);
        for (var length = 0; ; )
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            length += read;
            if (read == 0)
            {
                throw new IOException("the server closed a connection");
            }
            if (IsWhole(_buffer.AsSpan(0, length)))
            {
                return Status();
            }
            Grow(length);
        }
    }

    /// <summary>The same on a thread of its own, where nothing but the server makes it wait.</summary>
    public int Ask(byte[] request)
    {
        _socket.Send(request);
        for (var length = 0; ; )
        {
            var read = _socket.Receive(_buffer, length, _buffer.Length - length, SocketFlags.None);
            length += read;
            if (read == 0)
            {
                throw new IOException("the server closed a connection");
            }
            if (IsWhole(_buffer.AsSpan(0, length)))
            {
                return Status();
            }
            Grow(length);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private int Status() => int.Parse(_buffer.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);

    private void Grow(int length)
    {
        if (length == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return false;
        }
        var start = answer[..head].IndexOf("Content-Length: "u8);
        if (start < 0)
        {
            return answer.EndsWith("\r\n0\r\n\r\n"u8);
        }
        var line = answer[(start + 16)..];
        return answer.Length == head + 4 + int.Parse(line[..line.IndexOf((byte)'\r')], CultureInfo.InvariantCulture);
    }
}
