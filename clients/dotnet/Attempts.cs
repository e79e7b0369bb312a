using System.Net;
using System.Net.Http.Headers;

namespace Reelbase.Client;

/// <summary>Sends; repeats what may be repeated; throws <see cref="ReelbaseException"/> for everything but 2xx and 304.</summary>
internal sealed class Attempts(ReelbaseOptions options, HttpMessageHandler transport) : DelegatingHandler(transport)
{
    /// <summary>A request without a key that is safe to repeat all the same.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsRepeatable = new("Reelbase.IsRepeatable");

    /// <summary>A request for which its caller has something better than a repetition.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsSentOnce = new("Reelbase.IsSentOnce");

    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (options.Language is { } language && request.Headers.AcceptLanguage.Count == 0)
        {
            request.Headers.AcceptLanguage.Add(new StringWithQualityHeaderValue(language));
        }
        var most = MayBeRepeated(request) ? options.MaxAttempts : 1;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await OnceAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (ReelbaseException error) when (attempt < most && IsPassing(error))
            {
                await Task.Delay(error.RetryAfter ?? PauseAfter(attempt), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static bool MayBeRepeated(HttpRequestMessage request) =>
        !request.Options.TryGetValue(IsSentOnce, out _)
        && (
            request.Method == HttpMethod.Get
            || request.Method == HttpMethod.Head
            || request.Headers.Contains("Idempotency-Key")
            || request.Options.TryGetValue(IsRepeatable, out _)
        );

    private bool IsPassing(ReelbaseException error) =>
        (error.RetryAfter ?? TimeSpan.Zero) <= options.MaxRetryAfter && error.Status is 0 or (int)HttpStatusCode.TooManyRequests or >= 500;

    private TimeSpan PauseAfter(int attempt)
    {
        var pause = options.RetryBase * Math.Pow(2, attempt - 1) * (0.8 + (0.4 * Random.Shared.NextDouble()));
        return pause < MaxPause ? pause : MaxPause;
    }

    private async Task<HttpResponseMessage> OnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(request.Content is PictureContent ? options.UploadTimeout : options.Timeout);
        try
        {
            if (request.Content is not null and not PictureContent)
            {
                // A body that is read from a stream could be sent only once.
                await request.Content.LoadIntoBufferAsync(limit.Token).ConfigureAwait(false);
            }
            var response = await base.SendAsync(request, limit.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.NotModified)
            {
                // Read here, so that a connection that breaks in the middle of a body counts as a lost response. Event streams and files are read by whoever asked.
                if (response.Content.Headers.ContentType?.MediaType is "application/json" or null)
                {
                    await response.Content.LoadIntoBufferAsync(limit.Token).ConfigureAwait(false);
                }
                return response;
            }
            using (response)
            {
                var body = await response.Content.ReadAsStringAsync(limit.Token).ConfigureAwait(false);
                throw ReelbaseException.From((int)response.StatusCode, body, response.Headers.RetryAfter);
            }
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NoResponseException("timeout", "The server did not answer in time.", late);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw new NoResponseException("network", broken.Message, broken);
        }
    }
}
