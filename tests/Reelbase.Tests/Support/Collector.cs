using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Reelbase.Tests.Support;

/// <summary>A span as it arrived.</summary>
public sealed record Span(string TraceId, string SpanId, string ParentId, string Name, IReadOnlyList<string> LinkedTraces);

/// <summary>Takes OpenTelemetry's HTTP export (opentelemetry-proto, trace.proto) and keeps the bytes.</summary>
public sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Collector(WebApplication app) => _app = app;

    public string Url => TestSystem.AddressOf(_app);

    /// <summary>The bodies by signal: traces, metrics, logs.</summary>
    public ConcurrentQueue<(string Signal, byte[] Body)> Received { get; } = new();

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting("urls", TestSystem.AnyPort);
        var app = builder.Build();
        var collector = new Collector(app);
        app.MapPost(
            "/v1/{signal}",
            async (string signal, HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                collector.Received.Enqueue((signal, body.ToArray()));
            }
        );
        // Sentry's intake (envelopes), compressed as its client likes to.
        app.MapPost(
            "/api/{**path}",
            async (HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await using var plain =
                    request.Headers.ContentEncoding == "gzip"
                        ? new System.IO.Compression.GZipStream(request.Body, System.IO.Compression.CompressionMode.Decompress)
                        : request.Body;
                await plain.CopyToAsync(body);
                collector.Received.Enqueue(("sentry", body.ToArray()));
                return Results.Json(new { });
            }
        );
        await app.StartAsync();
        return collector;
    }

    /// <summary>Everything that arrived of a signal, as text: protobuf keeps strings as they are.</summary>
    public string Text(string signal) => string.Concat(Received.Where(item => item.Signal == signal).Select(item => Encoding.UTF8.GetString(item.Body)));

    /// <summary>Every span: ResourceSpans (1), ScopeSpans (2), Span (2).</summary>
    public List<Span> Spans() =>
        (
            from item in Received
            where item.Signal == "traces"
            from resource in Fields(item.Body, 1)
            from scope in Fields(resource, 2)
            from span in Fields(scope, 2)
            select new Span(
                Hex(Fields(span, 1)),
                Hex(Fields(span, 2)),
                Hex(Fields(span, 4)),
                Encoding.UTF8.GetString(Fields(span, 5).FirstOrDefault() ?? []),
                [.. Fields(span, 13).Select(link => Hex(Fields(link, 1)))]
            )
        ).ToList();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static string Hex(IEnumerable<byte[]> found) => Convert.ToHexStringLower(found.FirstOrDefault() ?? []);

    /// <summary>The length-delimited fields of a number in a protobuf message.</summary>
    private static List<byte[]> Fields(byte[] message, int number)
    {
        var found = new List<byte[]>();
        var at = 0;
        while (at < message.Length)
        {
            var key = Varint(message, ref at);
            switch (key & 7)
            {
                case 0:
                    Varint(message, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    if ((int)(key >> 3) == number)
                    {
                        found.Add(message[at..(at + length)]);
                    }
                    at += length;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {key & 7}");
            }
        }
        return found;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
