using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Kiota.Abstractions.Serialization;
using Reelbase.Client.Generated.Models;

namespace Reelbase.Client;

/// <summary>How a job is watched.</summary>
public sealed class WatchOptions
{
    /// <summary>Never opens an event stream.</summary>
    public bool PollOnly { get; init; }

    /// <summary>Between polls.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A stream without a word (the server sends a comment every 15 s) is left for polling.</summary>
    public TimeSpan MaxSilence { get; init; } = TimeSpan.FromSeconds(45);
}

/// <summary>Each change of a job until it has ended: by the event stream, and by polling when that cannot be had or breaks.</summary>
internal sealed class LiveStatus(HttpClient http, Uri address, WatchOptions options)
{
    public async IAsyncEnumerable<JobStatusAnswer> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = "";
        if (!options.PollOnly && await OpenAsync(cancellationToken).ConfigureAwait(false) is { } response)
        {
            using (response)
            {
                using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), Encoding.UTF8);
                while (await NextAsync(reader, cancellationToken).ConfigureAwait(false) is { } text)
                {
                    var status = await ReadAsync(text, cancellationToken).ConfigureAwait(false);
                    if (text != last)
                    {
                        last = text;
                        yield return status;
                    }
                    if (HasEnded(status))
                    {
                        yield break;
                    }
                }
            }
        }
        while (true)
        {
            var text = await http.GetStringAsync(address, cancellationToken).ConfigureAwait(false);
            var status = await ReadAsync(text, cancellationToken).ConfigureAwait(false);
            if (text != last)
            {
                last = text;
                yield return status;
            }
            if (HasEnded(status))
            {
                yield break;
            }
            await Task.Delay(options.PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool HasEnded(JobStatusAnswer status) => status.Status is "completed" or "failed";

    private static async Task<JobStatusAnswer> ReadAsync(string text, CancellationToken cancellationToken) =>
        await KiotaJsonSerializer.DeserializeAsync<JobStatusAnswer>(text, cancellationToken).ConfigureAwait(false)
        ?? throw new InvalidDataException("the status of a job is empty");

    /// <summary>The stream; nothing when only polling is left. What another request would be refused as well is thrown.</summary>
    private async Task<HttpResponseMessage?> OpenAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        request.Options.Set(Attempts.IsSentOnce, true);
        try
        {
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
            {
                return response;
            }
            response.Dispose();
            return null;
        }
        catch (ReelbaseException refused) when (refused.Status is 0 or (int)HttpStatusCode.TooManyRequests or >= 500)
        {
            return null;
        }
    }

    /// <summary>The data of the next event; nothing when the stream has ended, broken or gone silent.</summary>
    private async Task<string?> NextAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var data = new List<string>();
        while (true)
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            silence.CancelAfter(options.MaxSilence);
            string? line;
            try
            {
                line = await reader.ReadLineAsync(silence.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return null;
            }
            catch (Exception broken) when (broken is IOException or HttpRequestException)
            {
                return null;
            }
            if (line is null)
            {
                return null;
            }
            if (line.Length == 0 && data.Count > 0)
            {
                return string.Join('\n', data);
            }
            if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                data.Add(line[(line.StartsWith("data: ", StringComparison.Ordinal) ? 6 : 5)..]);
            }
        }
    }
}
