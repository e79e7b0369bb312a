using System.Text.Json;
using System.Threading.Channels;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Platform.Errors;

/// <summary>
/// Writes errors to <c>error_log</c> off the request's path, in batches. In a flood it keeps a bounded number and drops the
/// rest. It stores codes and the catalogue's details only: no bodies, no headers, no tokens.
/// </summary>
public sealed class ErrorRecorder(ApiDatabase database, ILogger<ErrorRecorder> logger) : PeriodicWork(logger)
{
    private const int MaxWaiting = 1000;
    private const int MaxPerBatch = 200;
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(250);

    private readonly Channel<Entry> _entries = Channel.CreateBounded<Entry>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    /// <summary>Notes an error; never waits and never fails.</summary>
    public void Record(HttpContext context, string code, string route, JsonElement? details, string traceId)
    {
        var userId = (context.Items[typeof(Caller)] as Caller)?.UserId;
        _entries.Writer.TryWrite(new(userId, code, route.Length > 0 ? route : null, details, traceId));
    }

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.Zero;

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        try
        {
            await _entries.Reader.WaitToReadAsync(stoppingToken);
            await Task.Delay(Gather, stoppingToken);
        }
        finally
        {
            // The last ones too, when the host stops.
            await WriteAsync();
        }
    }

    private async Task WriteAsync()
    {
        var batch = new List<Entry>();
        while (batch.Count < MaxPerBatch && _entries.Reader.TryRead(out var entry))
        {
            batch.Add(entry);
        }
        if (batch.Count == 0)
        {
            return;
        }
        try
        {
            await database.ExecuteAsync("select log_errors($1::jsonb)", CancellationToken.None, JsonSerializer.Serialize(batch, Json.Options));
        }
        catch (Exception error)
        {
            logger.LogWarning("{Count} errors could not be stored ({Reason})", batch.Count, error.Message);
        }
    }

    private sealed record Entry(Guid? UserId, string ErrorCode, string? Endpoint, JsonElement? ErrorDetails, string TraceId);
}
