using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Reelbase.Server.Features.Jobs.Live;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>
/// One open event stream of a job: the hub says what is new, and what was not sent yet is overtaken by what is newer, so that nothing piles up for a phone that
/// pauses. Thousands are open at once and hear of nothing, so it holds no timer, no text of what was sent, and nothing of its request that is not needed any more.
/// </summary>
internal sealed class StatusStream : ILiveListener, IResult, IValueTaskSource, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(60);

    /// <summary>URLSession gives an app nothing of a text before it has 512 bytes.</summary>
    private static readonly string Opening = $":{new string(' ', 600)}\nretry: 2000\n\n";
    private static readonly byte[] Heartbeat = ": still here\n\n"u8.ToArray();

    private const int Idle = 0;
    private const int Rung = 1;
    private const int Waiting = 2;

    private readonly HttpContext _context;
    private readonly JobView _view;
    private readonly StreamHeartbeat _pulse;
    private readonly IDisposable _place;
    private LiveWatch? _watch;
    private ManualResetValueTaskSourceCore<bool> _wake = new() { RunContinuationsAsynchronously = true };
    private int _state;
    private volatile JobStatusResponse? _current;
    private volatile bool _isEnded;
    private volatile bool _isHeartbeatDue;
    private long _sent;

    /// <summary>Takes a place of the node's; it is given back when the request ends, however it ends.</summary>
    /// <param name="context">The request.</param>
    /// <param name="view">Makes answers of rows.</param>
    /// <param name="pulse">Where heartbeats come from.</param>
    /// <param name="place">What is given back.</param>
    public StatusStream(HttpContext context, JobView view, StreamHeartbeat pulse, IDisposable place)
    {
        (_context, _view, _pulse, _place) = (context, view, pulse, place);
        context.Response.RegisterForDispose(this);
    }

    /// <summary>Where it stands among those that get heartbeats; the pulse's own.</summary>
    internal List<StatusStream>? Group { get; set; }

    /// <summary>Its place there.</summary>
    internal int Place { get; set; }

    /// <summary>Whether the client has the final event already, so that there is nothing to stream.</summary>
    public static bool HasSeenTheEnd(HttpContext context, JobStatusResponse current) =>
        IsFinal(current) && context.Request.Headers["Last-Event-ID"].ToString() == FinalId(current);

    /// <summary>Begins to hear of the job; before its first reading, so that nothing falls between the two.</summary>
    public void Watch(LiveWatch watch) => _watch = watch;

    /// <summary>What the job is now; something newer may have come already.</summary>
    public StatusStream From(JobStatusResponse first)
    {
        Interlocked.CompareExchange(ref _current, first, null);
        return this;
    }

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        // A phone may pause for as long as its connection lives.
        if (httpContext.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
        httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        httpContext.Response.ContentType = "text/event-stream";
        httpContext.Response.Headers.CacheControl = "no-store, no-transform";
        httpContext.Response.Headers["X-Accel-Buffering"] = "no";
        // The token has done its work, and is the longest thing that a request holds.
        httpContext.Request.Headers.Authorization = default;
        var ends = DateTime.UtcNow + Limit;
        using var gone = httpContext.RequestAborted.UnsafeRegister(static stream => ((StatusStream)stream!).End(), this);
        _pulse.Add(this);
        try
        {
            await SendAsync(Opening);
            while (!IsOver(ends))
            {
                await new ValueTask(this, Next());
                Volatile.Write(ref _state, Idle);
                var isHeartbeatDue = _isHeartbeatDue;
                _isHeartbeatDue = false;
                if (!await SendAsync("") && isHeartbeatDue && !_isEnded)
                {
                    await WriteAsync(Heartbeat);
                }
            }
        }
        catch (OperationCanceledException) when (_pulse.Stopping.IsCancellationRequested)
        {
            // This server stops; the phone asks another one.
        }
        finally
        {
            // Before the answer ends: whoever has read its end may open another one.
            Dispose();
        }
    }

    /// <inheritdoc/>
    public void OnStatus(LiveWatch watch, JsonElement status) => Take(_view.Status(_context, status.Deserialize<JobRow>(Json.Options)!));

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
            End();
        }
    }

    /// <inheritdoc/>
    public void OnEnd(LiveWatch watch, string reason) => End();

    /// <summary>Deleted, banned or signed out while watching, the phone gone or the server stopping: the stream ends, and asking again says why.</summary>
    public void End()
    {
        _isEnded = true;
        Ring();
    }

    /// <summary>Something is to be sent, if nothing else is.</summary>
    public void RequestHeartbeat()
    {
        _isHeartbeatDue = true;
        Ring();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch?.Dispose();
        _pulse.Remove(this);
        _place.Dispose();
    }

    void IValueTaskSource.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    private static bool IsFinal(JobStatusResponse answer) => answer.Status is "completed" or "failed";

    /// <summary>A final event is the same wherever it is asked for; the others only have to differ.</summary>
    private static string FinalId(JobStatusResponse answer) => string.Create(CultureInfo.InvariantCulture, $"{answer.JobId}:{answer.Status}");

    private bool IsOver(DateTime ends) => _isEnded || DateTime.UtcNow > ends;

    private void Take(JobStatusResponse answer)
    {
        _current = answer;
        Ring();
    }

    /// <summary>Wakes whoever waits, or lets the next wait end at once.</summary>
    private void Ring()
    {
        if (Interlocked.Exchange(ref _state, Rung) == Waiting)
        {
            _wake.SetResult(true);
        }
    }

    /// <summary>The wait for the next ring.</summary>
    private short Next()
    {
        _wake.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) != Idle)
        {
            // It rang meanwhile.
            _wake.SetResult(true);
        }
        return _wake.Version;
    }

    /// <summary>Sends what is new.</summary>
    /// <returns>Whether there was anything.</returns>
    private async ValueTask<bool> SendAsync(string before)
    {
        if (_current is not { } current)
        {
            return false;
        }
        var data = JsonSerializer.Serialize(current, Json.Options);
        var mark = SHA256.HashData(Encoding.UTF8.GetBytes(data)).AsSpan(0, sizeof(long)).ToArray();
        var number = BitConverter.ToInt64(mark);
        var isNew = number != _sent;
        if (isNew)
        {
            _sent = number;
            var id = IsFinal(current) ? FinalId(current) : Convert.ToHexStringLower(mark);
            // In one piece, so that a phone has enough of it at once.
            await WriteAsync(Encoding.UTF8.GetBytes($"{before}id: {id}\nevent: status\ndata: {data}\n\n"));
        }
        _isEnded |= IsFinal(current);
        if (current.QueuePosition is null)
        {
            // Its place alone changes by itself; whatever else does comes whole.
            Interlocked.CompareExchange(ref _current, null, current);
        }
        return isNew;
    }

    /// <summary>To a phone that has gone this is nothing; one that pauses is waited for.</summary>
    private async ValueTask WriteAsync(byte[] bytes)
    {
        await _context.Response.Body.WriteAsync(bytes, _pulse.Stopping);
        await _context.Response.Body.FlushAsync(_pulse.Stopping);
    }
}
