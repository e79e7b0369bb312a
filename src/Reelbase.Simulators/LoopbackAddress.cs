using System.Net;
using System.Net.Sockets;

namespace Reelbase.Simulators;

/// <summary>
/// A loopback address that must be known before its server starts, or that outlives a restart: the system chooses the port, and the port stays bound here,
/// not listening, until this is disposed. Nobody else can be given it meanwhile, while a server that is given the address may bind it and listen (Linux
/// allows that when both set SO_REUSEADDR, as servers do); before and after, a connection is refused.
/// </summary>
public sealed class LoopbackAddress : IDisposable
{
    private const int SolSocket = 1;
    private const int SoReuseAddr = 2;
    private readonly Socket _held = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private LoopbackAddress()
    {
        // ReuseAddress of .NET would set SO_REUSEPORT as well, which asks the other side for the same.
        _held.SetRawSocketOption(SolSocket, SoReuseAddr, BitConverter.GetBytes(1));
        _held.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)_held.LocalEndPoint!).Port;
    }

    /// <summary>Takes an address.</summary>
    public static LoopbackAddress Hold() => new();

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>The address for HTTP.</summary>
    public string Url => $"http://127.0.0.1:{Port}";

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();
}
