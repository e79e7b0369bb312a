using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Reelbase.Simulators.Apple;

namespace Reelbase.Simulators.Apns;

/// <summary>
/// Lets HTTP/2 in on the one port that the simulators have. Without TLS nothing negotiates the version, and Kestrel serves either one or the other on a
/// port; so a connection that opens with HTTP/2's preface is carried on to a listener of its own, behind which is the push service alone.
/// </summary>
public sealed class Http2Splitter(ApnsState state, AppleApp app, Outages outages) : IHostedService
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0"u8.ToArray();
    private WebApplication? _inner;
    private int _port;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(state);
        builder.Services.AddSingleton(app);
        builder.Services.AddSingleton(outages);
        _inner = builder.Build();
        _inner.UseMiddleware<OutageMiddleware>();
        _inner.MapApns();
        await _inner.StartAsync(cancellationToken);
        _port = new Uri(_inner.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_inner is not null)
        {
            await _inner.StopAsync(cancellationToken);
            await _inner.DisposeAsync();
        }
    }

    /// <summary>Reads how a connection begins and sends it where it belongs.</summary>
    public async Task SortAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var input = connection.Transport.Input;
        while (true)
        {
            var read = await input.ReadAsync(connection.ConnectionClosed);
            var length = (int)Math.Min(read.Buffer.Length, Preface.Length);
            var isHttp2 = read.Buffer.Slice(0, length).ToArray().AsSpan().SequenceEqual(Preface.AsSpan(0, length));
            if (isHttp2 && length < Preface.Length && !read.IsCompleted)
            {
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            input.AdvanceTo(read.Buffer.Start);
            if (!isHttp2 || length < Preface.Length)
            {
                await next(connection);
                return;
            }
            break;
        }
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, _port, connection.ConnectionClosed);
        await using var stream = client.GetStream();
        var there = input.CopyToAsync(stream, connection.ConnectionClosed);
        var back = stream.CopyToAsync(connection.Transport.Output, connection.ConnectionClosed);
        await Task.WhenAny(there, back);
        client.Close();
        try
        {
            await Task.WhenAll(there, back);
        }
        catch (Exception error)
            when (error is IOException or OperationCanceledException or ObjectDisposedException or SocketException or ConnectionAbortedException)
        {
            // Either side has hung up.
        }
    }
}
