using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Reelbase.Bench.Realtime;

/// <summary>The ceiling for memory: websockets of Kestrel that are echoed, or event streams of one event, and nothing else, in a process of its own with the server's collector.</summary>
public sealed class BareEcho : IDisposable
{
    /// <summary>What this program is started with to be that process.</summary>
    public const string Verb = "realtime-echo";

    private readonly Process _process;

    private BareEcho(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    /// <summary>Starts the process.</summary>
    public static async Task<BareEcho> StartAsync()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(BareEcho).Assembly.Location, Verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_gcServer"] = "1" },
        };
        var process = Process.Start(start)!;
        var port = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the echo did not start");
        return new(process, int.Parse(port, CultureInfo.InvariantCulture));
    }

    /// <summary>Resident memory as it stands.</summary>
    public long Resident => ProcessMemory.ResidentOf(_process.Id);

    /// <summary>What is left after a full collection.</summary>
    public async Task<ProcessMemory> CollectAsync()
    {
        await _process.StandardInput.WriteLineAsync("collect");
        var alive = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the echo ended");
        return new(Resident, long.Parse(alive, CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It ends with its input.
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
        {
            _process.Kill();
        }
        _process.Dispose();
    }

    /// <summary>The process itself.</summary>
    public static async Task<int> ServeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        app.Run(async context =>
        {
            if (!context.WebSockets.IsWebSocketRequest)
            {
                await StreamAsync(context);
                return;
            }
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            while (true)
            {
                // Like ours: no buffer is held for a client that says nothing.
                var arrived = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
                if (arrived.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }
                var buffer = new byte[1024];
                arrived = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                await socket.SendAsync(buffer.AsMemory(0, arrived.Count), WebSocketMessageType.Text, arrived.EndOfMessage, CancellationToken.None);
            }
        });
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await System.Console.Out.WriteLineAsync(new Uri(address).Port.ToString(CultureInfo.InvariantCulture));
        while (await System.Console.In.ReadLineAsync() is not null)
        {
            GC.Collect(2, GCCollectionMode.Forced, blocking: true);
            GC.WaitForPendingFinalizers();
            GC.Collect(2, GCCollectionMode.Forced, blocking: true);
            var info = GC.GetGCMemoryInfo(GCKind.FullBlocking);
            await System.Console.Out.WriteLineAsync((info.HeapSizeBytes - info.FragmentedBytes).ToString(CultureInfo.InvariantCulture));
        }
        // Its clients are gone with whoever asked.
        Environment.Exit(0);
        return 0;
    }

    /// <summary>An event stream of one event.</summary>
    private static async Task StreamAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.Body.WriteAsync("event: status\ndata: {}\n\n"u8.ToArray());
        await context.Response.Body.FlushAsync();
        var ended = new TaskCompletionSource();
        await using var end = context.RequestAborted.Register(() => ended.TrySetResult());
        await ended.Task;
    }
}
