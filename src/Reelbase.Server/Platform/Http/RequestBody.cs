using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Http;

/// <summary>Reads a JSON body by our rules, so that everything wrong with one is an error of the catalogue.</summary>
public static class RequestBody
{
    /// <summary>The largest JSON body of the public API.</summary>
    public const int MaxJsonBytes = 64 * 1024;

    /// <summary>Read at a time. The buffers are shared: in a flood most of what is new in memory would be these.</summary>
    private const int ChunkBytes = 4 * 1024;
    private const int MaxDiscardedBytes = 16 * 1024 * 1024;

    /// <summary>A sender who goes on sending after a refusal, and one who has fallen silent.</summary>
    private const int MaxDiscardSeconds = 300;
    private const int MaxSilentSeconds = 30;

    /// <summary>Refused senders who are listened to at once in this process; beyond that a connection is cut as soon as the answer is out.</summary>
    private const int MaxDiscarding = 500;
    private static int discarding;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The body as <typeparamref name="T"/>. An empty body is <c>{}</c> where <paramref name="allowEmpty"/> says so.</summary>
    /// <exception cref="ApiException">ERR_4000 with 400, 413 or 415.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, bool allowEmpty = false, int maxBytes = MaxJsonBytes)
        where T : class, new()
    {
        var request = context.Request;
        // What says nothing of its type is read as what is expected; a library that forgets it would brick its app.
        if (!request.HasJsonContentType() && !string.IsNullOrWhiteSpace(request.ContentType) && !(allowEmpty && request.ContentLength is null or 0))
        {
            throw new ApiException(ErrorCodes.MalformedRequest, new { reason = "media_type", expected = "application/json" }, status: 415);
        }
        var bytes = await ReadBytesAsync(context, maxBytes);
        if (bytes.Length == 0 && allowEmpty)
        {
            return new T();
        }
        try
        {
            return JsonSerializer.Deserialize<T>(bytes.AsSpan().StartsWith(ByteOrderMark) ? bytes.AsSpan(ByteOrderMark.Length) : bytes, Json.Requests)
                ?? throw new ApiException(ErrorCodes.MalformedRequest, new { reason = "not_an_object" });
        }
        catch (JsonException error)
        {
            // The path says which field has the wrong type; it is empty when the text is no JSON at all.
            var field = error.Path is { Length: > 2 } path ? path[2..] : null;
            throw field is null
                ? new ApiException(ErrorCodes.MalformedRequest, new { reason = "invalid_json" }, error)
                : new ApiException(ErrorCodes.MalformedRequest, new { reason = "wrong_type", field = field[..Math.Min(field.Length, 100)] }, error);
        }
    }

    /// <summary>The raw bytes of a body, up to a limit.</summary>
    /// <exception cref="ApiException">ERR_4000 with 413 when there are more.</exception>
    public static async Task<byte[]> ReadBytesAsync(HttpContext context, int maxBytes)
    {
        if (context.Request.ContentLength > maxBytes)
        {
            throw TooLarge(maxBytes);
        }
        using var buffer = new MemoryStream((int)Math.Min(context.Request.ContentLength ?? 0, ChunkBytes));
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(chunk, context.RequestAborted)) > 0)
            {
                if (buffer.Length + read > maxBytes)
                {
                    throw TooLarge(maxBytes);
                }
                buffer.Write(chunk, 0, read);
            }
            return buffer.ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk, clearArray: true);
        }
    }

    /// <summary>
    /// Ends the answer, then reads what is still coming of the body and forgets it: a sender who writes everything before they read would otherwise
    /// find the connection reset, and never learn why. Bounded in bytes and time; beyond that the connection is cut.
    /// </summary>
    public static async Task DiscardRestAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.ContentLength is null or 0 && !request.Headers.ContainsKey("Transfer-Encoding"))
        {
            return;
        }
        byte[]? chunk = null;
        try
        {
            var isCrowded = Interlocked.Increment(ref discarding) > MaxDiscarding;
            await context.Response.CompleteAsync();
            if (isCrowded)
            {
                return;
            }
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            {
                size.MaxRequestBodySize = MaxDiscardedBytes;
            }
            // A sender who was too slow to be served still reads the refusal.
            PacedBodyStream.Release(context);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            limit.CancelAfter(TimeSpan.FromSeconds(MaxDiscardSeconds));
            chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
            for (long discarded = 0; discarded < MaxDiscardedBytes; )
            {
                using var silence = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
                silence.CancelAfter(TimeSpan.FromSeconds(MaxSilentSeconds));
                var read = await request.Body.ReadAsync(chunk, silence.Token);
                if (read == 0)
                {
                    return;
                }
                discarded += read;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException)
        {
            // They hung up, or sent more than we listen to: the answer was given.
        }
        finally
        {
            Interlocked.Decrement(ref discarding);
            if (chunk is not null)
            {
                ArrayPool<byte>.Shared.Return(chunk);
            }
            await PacedBodyStream.StopAsync(context);
        }
    }

    private static ApiException TooLarge(int maxBytes) => new(ErrorCodes.MalformedRequest, new { reason = "too_large", max_bytes = maxBytes }, status: 413);
}
