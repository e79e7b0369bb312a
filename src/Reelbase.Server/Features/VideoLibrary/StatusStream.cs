using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Reelbase.Server.Features.Live;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.VideoLibrary;

/// <summary>One open event stream of a job: the hub says what is new, and what was not sent yet is overtaken by what is newer, so that nothing piles up for a phone that pauses.</summary>
internal sealed class StatusStream(HttpContext context, JobView view) : ILiveListener, IDisposable
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(60);

    /// <summary>URLSession gives an app nothing of a text before it has 512 bytes.</summary>
    private static readonly string Opening = $":{new string(' ', 600)}\nretry: 2000\n\n";

    private readonly SemaphoreSlim _bell = new(0, 1);
    private volatile JobStatusAnswer? _current;
    private volatile bool _isEnded;

    /// <summary>Whether the client has the final event already, so that there is nothing to stream.</summary>
    public static bool HasSeenTheEnd(HttpContext context, JobStatusAnswer current) =>
        IsFinal(current) && context.Request.Headers["Last-Event-ID"].ToString() == IdOf(current, "");

    /// <summary>Sends until the job has ended.</summary>
    /// <param name="first">What the job is now; something newer may have come already.</param>
    public async Task RunAsync(JobStatusAnswer first)
    {
        Interlocked.CompareExchange(ref _current, first, null);
        // A phone may pause for as long as its connection lives.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store, no-transform";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        using var stops = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted,
            context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping
        );
        var ends = DateTime.UtcNow + Limit;
        string? sent = null;
        try
        {
            await WriteAsync(Opening, stops.Token);
            while (true)
            {
                var current = _current!;
                var data = JsonSerializer.Serialize(current, Json.Options);
                if (data != sent)
                {
                    await WriteAsync($"id: {IdOf(current, data)}\nevent: status\ndata: {data}\n\n", stops.Token);
                    sent = data;
                }
                if (IsFinal(current) || _isEnded || DateTime.UtcNow > ends)
                {
                    return;
                }
                if (!await _bell.WaitAsync(KeepAlive, stops.Token))
                {
                    await WriteAsync(": still here\n\n", stops.Token);
                }
            }
        }
        catch (OperationCanceledException) when (stops.IsCancellationRequested)
        {
            // The phone has gone, or this server stops; clients ask again.
        }
    }

    /// <inheritdoc/>
    public void OnStatus(LiveWatch watch, JsonElement status) => Take(view.Status(context, status.Deserialize<JobRow>(Json.Options)!));

    /// <inheritdoc/>
    public void OnPlace(LiveWatch watch, Guid jobId, int place)
    {
        if (_current is { QueuePosition: not null } current)
        {
            Take(current with { QueuePosition = place });
        }
    }

    /// <inheritdoc/>
    public void OnChange(LiveWatch watch, LiveChange change)
    {
        if (change.Type == "DELETE")
        {
            OnEnd(watch, "gone");
        }
    }

    /// <inheritdoc/>
    public void OnEnd(LiveWatch watch, string reason)
    {
        // Deleted, banned or signed out while watching: the stream ends, and asking again says why.
        _isEnded = true;
        Ring();
    }

    /// <inheritdoc/>
    public void Dispose() => _bell.Dispose();

    private static bool IsFinal(JobStatusAnswer answer) => answer.Status is "completed" or "failed";

    /// <summary>A final event is the same wherever it is asked for; the others only have to differ.</summary>
    private static string IdOf(JobStatusAnswer answer, string data) =>
        IsFinal(answer)
            ? string.Create(CultureInfo.InvariantCulture, $"{answer.JobId}:{answer.Status}")
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(data)).AsSpan(0, 8));

    private void Take(JobStatusAnswer answer)
    {
        _current = answer;
        Ring();
    }

    private void Ring()
    {
        try
        {
            _bell.Release();
        }
        catch (Exception error) when (error is SemaphoreFullException or ObjectDisposedException)
        {
            // It is ringing already, or the stream is over and the hub was about to call.
        }
    }

    private async Task WriteAsync(string text, CancellationToken cancellationToken)
    {
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
        await context.Response.Body.FlushAsync(cancellationToken);
    }
}
