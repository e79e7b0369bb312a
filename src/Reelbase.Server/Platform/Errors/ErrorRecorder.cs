using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Platform.Errors;

/// <summary>
/// Writes errors to <c>error_log</c> off the request's path, in batches. Errors of one code, route and address that wait together are one
/// entry with their number, and so are all of a code and route beyond the sample of its minute; which of them become rows is decided by <c>log_errors</c>. It stores codes and the catalogue's details only: no
/// bodies, no headers, no tokens, and of the address only what a digest says.
/// </summary>
public sealed class ErrorRecorder(ApiDatabase database, TimeProvider clock, ILogger<ErrorRecorder> logger) : PeriodicWork(logger)
{
    /// <summary>Entries of an address that wait at a time, and kinds of errors whatever their address; what comes on top is counted on the latter.</summary>
    private const int MaxWaiting = 1000;
    private const int MaxPerBatch = 200;
    private const int MaxOfOneKind = 5;

    /// <summary>What <c>log_errors</c> keeps of a code and route in a minute; of what comes on top only the number is worth a call.</summary>
    private const int MaxOfOneRoute = 100;
    private const int MaxRoutes = 1000;
    private static readonly TimeSpan SampleTime = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BatchWindow = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<Key, Sample> _samples = [];
    private Dictionary<Key, Waiting> _waiting = [];

    /// <summary>Notes an error; never waits and never fails.</summary>
    public void Record(HttpContext context, string code, string route, JsonElement? details, string traceId)
    {
        // The exception handler clears the endpoint and keeps it in its own feature.
        var endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        var isPrivate = ErrorCatalog.Find(code).IsPrivate || endpoint?.Metadata.GetMetadata<PrivateErrorsMetadata>() is not null;
        Add(
            new(
                isPrivate ? null : (context.Items[typeof(Caller)] as Caller)?.UserId,
                code,
                route.Length > 0 ? route : null,
                isPrivate ? null : details,
                traceId,
                isPrivate ? null : context.Connection.RemoteIpAddress?.ToString(),
                1
            )
        );
    }

    /// <summary>Notes a refusal of an API whose errors have another shape than the catalogue's.</summary>
    public void Record(HttpContext context, string code, string reason) =>
        Record(
            context,
            code,
            (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "",
            JsonSerializer.SerializeToElement(new { reason }, Json.Options),
            System.Diagnostics.Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier
        );

    /// <summary>Adds one, or counts it on those of its kind when there are enough.</summary>
    /// <param name="entry">What happened.</param>
    /// <param name="isAgain">It was counted in its sample before, and could not be written.</param>
    internal void Add(Entry entry, bool isAgain = false)
    {
        lock (_lock)
        {
            if (!isAgain && entry.Address is not null && !IsInSample(entry))
            {
                entry = entry with { UserId = null, Address = null };
            }
            var key = new Key(entry.ErrorCode, entry.Endpoint, entry.Address);
            if (!_waiting.TryGetValue(key, out var waiting))
            {
                if (_waiting.Count >= MaxWaiting)
                {
                    // Too many addresses: of these the number is kept, and no more.
                    key = key with
                    {
                        Address = null,
                    };
                    entry = entry with { UserId = null, Address = null };
                    _waiting.TryGetValue(key, out waiting);
                }
                _waiting[key] = waiting ??= new();
            }
            if (waiting.Entries.Count < MaxOfOneKind)
            {
                waiting.Entries.Add(entry);
            }
            else
            {
                waiting.Entries[^1] = waiting.Entries[^1] with { Occurrences = waiting.Entries[^1].Occurrences + entry.Occurrences };
            }
        }
        if (_wake.CurrentCount == 0)
        {
            try
            {
                _wake.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else was quicker.
            }
        }
    }

    /// <summary>Takes what waits to be written.</summary>
    internal List<Entry> TakeWaiting()
    {
        Dictionary<Key, Waiting> waiting;
        lock (_lock)
        {
            (waiting, _waiting) = (_waiting, []);
        }
        return waiting.Values.SelectMany(kind => kind.Entries).ToList();
    }

    /// <summary>Whether an error is one of the first of its code and route in this minute: without this, each refusal of a flood from many addresses would cost the database a statement.</summary>
    private bool IsInSample(Entry entry)
    {
        var key = new Key(entry.ErrorCode, entry.Endpoint, null);
        if (!_samples.TryGetValue(key, out var sample) || clock.GetElapsedTime(sample.Since) > SampleTime)
        {
            if (sample is null && _samples.Count >= MaxRoutes)
            {
                _samples.Clear();
            }
            _samples[key] = sample = new() { Since = clock.GetTimestamp() };
        }
        return ++sample.Count <= MaxOfOneRoute;
    }

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.Zero;

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        try
        {
            await _wake.WaitAsync(stoppingToken);
            await Task.Delay(BatchWindow, stoppingToken);
        }
        finally
        {
            // The last ones too, when the host stops.
            await WriteAsync(mayTryAgain: !stoppingToken.IsCancellationRequested);
        }
    }

    private async Task WriteAsync(bool mayTryAgain)
    {
        foreach (var batch in TakeWaiting().Chunk(MaxPerBatch))
        {
            try
            {
                await database.ExecuteAsync("select log_errors($1::jsonb)", CancellationToken.None, JsonSerializer.Serialize(batch, Json.Options));
            }
            catch (Exception error)
            {
                logger.LogWarning("{Count} errors could not be stored ({Reason})", batch.Sum(entry => entry.Occurrences), error.Message);
                if (mayTryAgain && error is Npgsql.NpgsqlException { IsTransient: true })
                {
                    // With the next ones: bounded in rows, and no number is lost.
                    Array.ForEach(batch, entry => Add(entry, isAgain: true));
                }
            }
        }
    }

    /// <summary>An error as <c>log_errors</c> reads it.</summary>
    internal sealed record Entry(
        Guid? UserId,
        string ErrorCode,
        string? Endpoint,
        JsonElement? ErrorDetails,
        string TraceId,
        string? Address,
        long Occurrences
    );

    private sealed record Key(string ErrorCode, string? Endpoint, string? Address);

    private sealed class Sample
    {
        public long Since { get; init; }
        public int Count { get; set; }
    }

    private sealed class Waiting
    {
        public List<Entry> Entries { get; } = [];
    }
}
