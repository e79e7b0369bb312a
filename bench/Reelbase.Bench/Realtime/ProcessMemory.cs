using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Reelbase.Bench.Realtime;

/// <summary>What a process has in memory, in bytes.</summary>
/// <param name="Resident">Resident, as the system counts it.</param>
/// <param name="Managed">Of it what .NET's collector found alive; 0 where that was not asked.</param>
public sealed record ProcessMemory(long Resident, long Managed)
{
    private const ulong CollectTheHeap = 0x800000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Resident memory as it stands, with whatever has not been collected yet.</summary>
    public static long ResidentOf(int process)
    {
        using var found = Process.GetProcessById(process);
        return found.WorkingSet64;
    }

    /// <summary>Has the server's collector run in full, as diagnostic tools do, and reads what is left from its <c>/metrics</c>.</summary>
    public static async Task<ProcessMemory> CollectAsync(int process, int port)
    {
        using var http = new HttpClient { Timeout = Patience };
        var url = $"http://127.0.0.1:{port}/metrics";
        var before = Sum(await http.GetStringAsync(url), "dotnet_gc_collections_total{", "gen2");
        await AskAsync(process);
        for (var watch = Stopwatch.StartNew(); ; )
        {
            // The exporter repeats its answer for a third of a second.
            await Task.Delay(500);
            var text = await http.GetStringAsync(url);
            if (Sum(text, "dotnet_gc_collections_total{", "gen2") > before)
            {
                var alive =
                    Sum(text, "dotnet_gc_last_collection_heap_size_bytes{", "") - Sum(text, "dotnet_gc_last_collection_heap_fragmentation_size_bytes{", "");
                return new(ResidentOf(process), (long)alive);
            }
            if (watch.Elapsed > Patience)
            {
                throw new InvalidOperationException("the server's collector did not run when it was asked to");
            }
        }
    }

    private static double Sum(string metrics, string name, string label) =>
        metrics
            .Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.IndexOf("} ", StringComparison.Ordinal) + 2)..].Split(' ')[0], CultureInfo.InvariantCulture));

    /// <summary>A tracing session of .NET's diagnostic port whose keyword asks for a collection; nothing of the trace is wanted.</summary>
    private static async Task AskAsync(int process)
    {
        using var limit = new CancellationTokenSource(Patience);
        var port = Directory.EnumerateFiles(Path.GetTempPath(), $"dotnet-diagnostic-{process}-*-socket").First();
        using var begin = await ConnectAsync(port, limit.Token);
        var session = new byte[28];
        await begin.SendAsync(
            Message(
                2,
                payload =>
                {
                    payload.Write(16u); // megabytes of buffer
                    payload.Write(1u); // nettrace
                    payload.Write(1u); // providers
                    payload.Write(CollectTheHeap);
                    payload.Write(4u); // informational
                    const string provider = "Microsoft-Windows-DotNETRuntime";
                    payload.Write(provider.Length + 1);
                    payload.Write(Encoding.Unicode.GetBytes(provider + '\0'));
                    payload.Write(0u); // no filter
                }
            ),
            limit.Token
        );
        for (var length = 0; length < session.Length; )
        {
            var read = await begin.ReceiveAsync(session.AsMemory(length), limit.Token);
            length += read > 0 ? read : throw new IOException("the diagnostic port closed");
        }
        var drain = Task.Run(async () =>
        {
            var buffer = new byte[64 * 1024];
            while (await begin.ReceiveAsync(buffer, limit.Token) > 0) { }
        });
        await Task.Delay(TimeSpan.FromSeconds(2), limit.Token);
        using var end = await ConnectAsync(port, limit.Token);
        await end.SendAsync(Message(1, payload => payload.Write(session.AsSpan(20, 8))), limit.Token);
        await drain;
    }

    private static async Task<Socket> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        return socket;
    }

    private static byte[] Message(byte command, Action<BinaryWriter> write)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("DOTNET_IPC_V1\0"u8);
        writer.Write((ushort)0);
        writer.Write((byte)2);
        writer.Write(command);
        writer.Write((ushort)0);
        write(writer);
        writer.Seek(14, SeekOrigin.Begin);
        writer.Write((ushort)stream.Length);
        return stream.ToArray();
    }
}
