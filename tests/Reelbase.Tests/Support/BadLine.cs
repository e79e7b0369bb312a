using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Reelbase.Tests.Support;

/// <summary>What becomes of a response on its way back.</summary>
public enum Fate
{
    /// <summary>It arrives.</summary>
    Arrives,

    /// <summary>The server has acted, and the connection breaks before a byte of the response.</summary>
    IsLost,

    /// <summary>The connection breaks after its headers and a first comment, as a stream does.</summary>
    IsCut,
}

/// <summary>A request as the line saw it.</summary>
public sealed record SeenRequest(string Method, string Path, string Accept, string? Key);

/// <summary>A network between a client and the server that loses responses and breaks streams.</summary>
public sealed class BadLine : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _server;

    private BadLine(WebApplication app, HttpClient server) => (_app, _server) = (app, server);

    /// <summary>Where the client connects.</summary>
    public Uri Url => new(TestSystem.AddressOf(_app));

    /// <summary>Every request so far.</summary>
    public ConcurrentQueue<SeenRequest> Seen { get; } = [];

    /// <summary>Opens a line; <paramref name="fateOf"/> decides for each request.</summary>
    public static async Task<BadLine> OpenAsync(string server, Func<SeenRequest, Fate>? fateOf = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(TestSystem.AnyPort);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var line = new BadLine(app, new HttpClient { BaseAddress = new Uri(server), Timeout = Patience.Span });
        app.Run(context => line.PassOnAsync(context, fateOf ?? (_ => Fate.Arrives)));
        await app.StartAsync();
        return line;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _server.Dispose();
    }

    private async Task PassOnAsync(HttpContext context, Func<SeenRequest, Fate> fateOf)
    {
        var incoming = context.Request;
        var seen = new SeenRequest(incoming.Method, incoming.Path, incoming.Headers.Accept.ToString(), incoming.Headers["Idempotency-Key"].FirstOrDefault());
        Seen.Enqueue(seen);
        var fate = fateOf(seen);
        using var outgoing = new HttpRequestMessage(new HttpMethod(incoming.Method), incoming.Path + incoming.QueryString);
        if (incoming.ContentLength is not null || incoming.Headers.TransferEncoding.Count > 0)
        {
            outgoing.Content = new StreamContent(incoming.Body);
        }
        foreach (var (name, value) in incoming.Headers.Where(header => header.Key is not ("Host" or "Connection" or "Transfer-Encoding")))
        {
            if (!outgoing.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value))
            {
                outgoing.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value);
            }
        }
        using var answer = await _server.SendAsync(outgoing, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        if (fate == Fate.IsLost)
        {
            await answer.Content.ReadAsByteArrayAsync();
            context.Abort();
            return;
        }
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(header => header.Key != "Transfer-Encoding"))
        {
            context.Response.Headers[name] = values.ToArray();
        }
        if (fate == Fate.IsCut)
        {
            await context.Response.WriteAsync(": here\n\n");
            await context.Response.Body.FlushAsync();
            context.Abort();
            return;
        }
        await using var body = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
        var buffer = new byte[16 * 1024];
        for (int read; (read = await body.ReadAsync(buffer, context.RequestAborted)) > 0; )
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
