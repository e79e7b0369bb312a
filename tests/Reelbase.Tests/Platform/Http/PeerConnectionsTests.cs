using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>How many connections an address may hold open, whatever it says on them.</summary>
[Collection(SharedProduct.Name)]
public sealed class PeerConnectionsTests(TestSystem system)
{
    private const int Limit = 3;

    [Fact]
    public async Task An_address_with_all_of_its_connections_gets_no_further_one_until_one_ends()
    {
        using var refusals = new Refusals();
        await using var node = system.BuildServer(new() { ["urls"] = "http://[::]:0", ["Server:ConnectionsPerAddress"] = $"{Limit}" }, "Production");
        await node.StartAsync();
        var port = new Uri(TestSystem.AddressOf(node)).Port;
        var held = new List<Peer>();
        for (var count = 0; count < Limit; count++)
        {
            held.Add(await Peer.ConnectAsync("127.0.0.41", port));
            Assert.True(await held[^1].IsServedAsync());
        }
        using (var further = await Peer.ConnectAsync("127.0.0.41", port))
        {
            Assert.False(await further.IsServedAsync());
        }
        Assert.InRange(refusals.Count, 1, long.MaxValue);
        // Those that are open go on, and nobody else is concerned.
        Assert.True(await held[0].IsServedAsync());
        using (var other = await Peer.ConnectAsync("127.0.0.42", port))
        {
            Assert.True(await other.IsServedAsync());
        }
        held[1].Dispose();
        await Eventually.IsAsync(
            async () =>
            {
                using var next = await Peer.ConnectAsync("127.0.0.41", port);
                return await next.IsServedAsync();
            },
            isServed => isServed
        );
        held.ForEach(peer => peer.Dispose());
        var connections = node.Services.GetRequiredService<PeerConnections>();
        await Eventually.IsAsync(() => Task.FromResult(connections.Known), known => known == 0);
        await node.StopAsync();
    }

    [Theory]
    [InlineData("127.0.0.43", "1", "127.0.0.43")]
    [InlineData("127.0.0.44", "1", "127.0.0.44/31")]
    [InlineData("127.0.0.45", "-1", "192.0.2.1")]
    public async Task The_connections_of_a_trusted_proxy_are_not_counted_nor_anybodys_without_a_limit(string address, string limit, string proxy)
    {
        await using var node = system.BuildServer(
            new()
            {
                ["urls"] = "http://[::]:0",
                ["Server:ConnectionsPerAddress"] = limit,
                ["Server:TrustedProxies:0"] = proxy,
            },
            "Production"
        );
        await node.StartAsync();
        var port = new Uri(TestSystem.AddressOf(node)).Port;
        var held = new List<Peer>();
        for (var count = 0; count < Limit; count++)
        {
            held.Add(await Peer.ConnectAsync(address, port));
            Assert.True(await held[^1].IsServedAsync());
        }
        Assert.Equal(0, node.Services.GetRequiredService<PeerConnections>().Known);
        held.ForEach(peer => peer.Dispose());
        await node.StopAsync();
    }

    /// <summary>One connection from an address of loopback.</summary>
    private sealed class Peer : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public static async Task<Peer> ConnectAsync(string address, int port)
        {
            var peer = new Peer();
            peer._socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            try
            {
                await peer._socket.ConnectAsync(IPAddress.Loopback, port).WaitAsync(Patience.Span);
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
            {
                // Closed before this side knew that it was open: nothing is served on it either.
            }
            return peer;
        }

        /// <summary>Whether a request is answered; false when the connection is closed instead.</summary>
        public async Task<bool> IsServedAsync()
        {
            using var patience = new CancellationTokenSource(Patience.Span);
            try
            {
                await _socket.SendAsync(Encoding.ASCII.GetBytes("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"), patience.Token);
                var answer = "";
                // To the end of the answer, so that the next one is read from its beginning.
                while (!answer.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal) && !HasItsLength(answer))
                {
                    var buffer = new byte[4096];
                    var read = await _socket.ReceiveAsync(buffer, patience.Token);
                    if (read == 0)
                    {
                        return false;
                    }
                    answer += Encoding.ASCII.GetString(buffer, 0, read);
                }
                return answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal);
            }
            catch (SocketException)
            {
                return false;
            }
        }

        public void Dispose() => _socket.Dispose();

        private static bool HasItsLength(string answer)
        {
            const string Name = "Content-Length: ";
            var (head, at) = (answer.IndexOf("\r\n\r\n", StringComparison.Ordinal), answer.IndexOf(Name, StringComparison.Ordinal));
            return head >= 0
                && at >= 0
                && at < head
                && answer.Length == head + 4 + int.Parse(answer[(at + Name.Length)..answer.IndexOf("\r\n", at, StringComparison.Ordinal)], null);
        }
    }

    /// <summary>What the counter of refused connections has counted meanwhile.</summary>
    private sealed class Refusals : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public Refusals()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "reelbase.connections.refused")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, measurement, _, _) => Interlocked.Add(ref _count, measurement));
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}
