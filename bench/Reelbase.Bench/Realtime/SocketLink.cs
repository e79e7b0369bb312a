using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Reelbase.Bench.Realtime;

/// <summary>A text message that came, and the clock when it was read.</summary>
public delegate void TextReceived(int number, ReadOnlySpan<byte> text, long at);

/// <summary>One websocket of a client that holds next to nothing: no buffer while nothing comes, no timer, no task but the one that reads.</summary>
public sealed class SocketLink : IDisposable
{
    private const byte Text = 1;
    private const byte Close = 8;
    private const int BufferBytes = 256 * 1024;

    [ThreadStatic]
    private static byte[]? _shared;

    private readonly int _number;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[]? _rest;

    private SocketLink(int number) => _number = number;

    /// <summary>Opens a websocket from one of this machine's loopback addresses.</summary>
    public static async Task<SocketLink> OpenAsync(int number, IPAddress from, int port, string path, CancellationToken cancellationToken)
    {
        var link = new SocketLink(number);
        try
        {
            link._socket.Bind(new IPEndPoint(from, 0));
            await link._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
            var request = Encoding.ASCII.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cmVlbGJhc2UtYmVuY2gtMQ==\r\n\r\n"
            );
            await link._socket.SendAsync(request, cancellationToken);
            var answer = new byte[2048];
            for (var length = 0; !answer.AsSpan(0, length).EndsWith("\r\n\r\n"u8); )
            {
                var read = await link._socket.ReceiveAsync(answer.AsMemory(length), cancellationToken);
                length += read;
                if (read == 0 || length == answer.Length || (length > 12 && !answer.AsSpan().StartsWith("HTTP/1.1 101"u8)))
                {
                    throw new IOException("no websocket: " + Encoding.UTF8.GetString(answer, 0, Math.Min(length, 400)));
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

    /// <summary>Sends a text; short ones fit into the socket's buffer, so that nobody waits.</summary>
    public void Send(ReadOnlySpan<byte> text)
    {
        // A mask of zeros is a mask: the text goes as it is.
        Span<byte> head = stackalloc byte[8];
        head[0] = 0x80 | Text;
        var size = 2;
        if (text.Length < 126)
        {
            head[1] = (byte)(0x80 | text.Length);
        }
        else
        {
            head[1] = 0x80 | 126;
            BinaryPrimitives.WriteUInt16BigEndian(head[2..], checked((ushort)text.Length));
            size = 4;
        }
        var frame = new byte[size + 4 + text.Length];
        head[..size].CopyTo(frame);
        text.CopyTo(frame.AsSpan(size + 4));
        _socket.Send(frame);
    }

    /// <summary>Reads until the other side or this one closes.</summary>
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
        while (Frame(left) is { } frame)
        {
            switch (left[0] & 0xF)
            {
                case Text:
                    received(_number, left[frame.Start..frame.End], at);
                    break;
                case Close:
                    return false;
                default:
                    break;
            }
            left = left[frame.End..];
        }
        _rest = left.IsEmpty ? null : left.ToArray();
        return true;
    }

    /// <summary>Where the first frame's text is, when all of it has come.</summary>
    private static (int Start, int End)? Frame(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return null;
        }
        var (start, length) = (2, bytes[1] & 0x7F);
        if (length == 126)
        {
            if (bytes.Length < 4)
            {
                return null;
            }
            (start, length) = (4, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
        }
        return bytes.Length < start + length ? null : (start, start + length);
    }
}
