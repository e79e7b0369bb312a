using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;

namespace Reelbase.Server.Platform.Http;

/// <summary>
/// The body of a request, which has to come at a least pace. In the place of Kestrel's own rule, which cuts the connection under whoever is still sending: they would never read why. Here the
/// refusal is an answer like any other, and what still comes is read and forgotten (<see cref="RequestBody.DiscardRestAsync"/>).
/// </summary>
public sealed class PacedBodyStream : Stream
{
    private const int GraceSeconds = 10;
    private const int MinBytesPerSecond = 240;

    private readonly PipeReader _reader;
    private Task<ReadResult>? _pending;
    private TimeSpan _waited;
    private long _bytes;
    private bool _isReleased;

    private PacedBodyStream(PipeReader reader) => _reader = reader;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Middleware: a request with a body gets it at this pace.</summary>
    public static Task UseAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.ContentLength is > 0 || context.Request.Headers.TransferEncoding.Count > 0)
        {
            context.Request.Body = new PacedBodyStream(context.Request.BodyReader);
        }
        return next(context);
    }

    /// <summary>From here on the sender may take their time.</summary>
    public static void Release(HttpContext context)
    {
        if (context.Request.Body is PacedBodyStream body)
        {
            body._isReleased = true;
        }
    }

    /// <summary>Ends a read that was given up on, so that the server can end the request in order.</summary>
    public static async Task StopAsync(HttpContext context)
    {
        if (context.Request.Body is not PacedBodyStream { _pending: { } pending } body)
        {
            return;
        }
        body._pending = null;
        try
        {
            body._reader.CancelPendingRead();
            body._reader.AdvanceTo((await pending).Buffer.Start);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The connection has ended meanwhile.
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }
        while (true)
        {
            var result = await NextAsync(cancellationToken);
            var content = result.Buffer;
            var length = (int)Math.Min(content.Length, buffer.Length);
            content.Slice(0, length).CopyTo(buffer.Span);
            _reader.AdvanceTo(content.GetPosition(length));
            _bytes += length;
            if (length > 0 || result.IsCompleted)
            {
                return length;
            }
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new InvalidOperationException("a request is read asynchronously");

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>What has come; a read that takes too long is kept for whoever reads next.</summary>
    private async ValueTask<ReadResult> NextAsync(CancellationToken cancellationToken)
    {
        if (_pending is null)
        {
            var read = _reader.ReadAsync(CancellationToken.None);
            if (read.IsCompleted)
            {
                return await read;
            }
            _pending = read.AsTask();
        }
        var began = Stopwatch.GetTimestamp();
        try
        {
            if (_isReleased)
            {
                await _pending.WaitAsync(cancellationToken);
            }
            else
            {
                await _pending.WaitAsync(Allowed(), cancellationToken);
            }
        }
        catch (TimeoutException error) when (!_pending.IsCompleted)
        {
            throw TooSlow(error);
        }
        _waited += Stopwatch.GetElapsedTime(began);
        if (!_isReleased && Allowed() <= TimeSpan.Zero)
        {
            throw TooSlow();
        }
        var result = await _pending;
        _pending = null;
        return result;
    }

    private TimeSpan Allowed()
    {
        var left = TimeSpan.FromSeconds(Math.Max(GraceSeconds, (double)_bytes / MinBytesPerSecond)) - _waited;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private static BadHttpRequestException TooSlow(Exception? error = null) =>
        new("The body came too slowly.", StatusCodes.Status408RequestTimeout, error ?? new TimeoutException());
}
