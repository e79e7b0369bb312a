using System.Net;
using System.Net.Http.Headers;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Abstractions.Serialization;
using Microsoft.Kiota.Http.HttpClientLibrary;
using Reelbase.Client.Generated;
using Reelbase.Client.Generated.Models;

namespace Reelbase.Client;

/// <summary>A Reelbase server. One for the whole app; its methods may be called at the same time. Whatever is refused is thrown as a <see cref="ReelbaseException"/>.</summary>
public sealed class ReelbaseClient : IDisposable
{
    private readonly Uri _url;
    private readonly Sessions _sessions;
    private readonly HttpClient _http;
    private readonly HttpClientRequestAdapter _adapter;

    /// <summary>A client that sends nothing yet.</summary>
    public ReelbaseClient(ReelbaseOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _url = new Uri(options.Url.AbsoluteUri.TrimEnd('/') + "/");
        var transport =
            options.Transport
            ?? new HttpClientHandler
            {
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.All,
                UseCookies = false,
            };
        _sessions = new Sessions(options, _url, new Attempts(options, transport));
        // Each attempt has its own limit.
        _http = new HttpClient(_sessions) { Timeout = Timeout.InfiniteTimeSpan };
        _adapter = new HttpClientRequestAdapter(new AnonymousAuthenticationProvider(), httpClient: _http) { BaseUrl = _url.AbsoluteUri.TrimEnd('/') };
        Api = new ReelbaseApi(_adapter);
    }

    /// <summary>Every operation of the API document, with this client's session, retries and errors.</summary>
    public ReelbaseApi Api { get; }

    /// <summary>The session that is kept, as it is.</summary>
    public async Task<ReelbaseSession?> GetSessionAsync(CancellationToken cancellationToken = default) =>
        await _sessions.LoadAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Keeps a session from elsewhere (Sign in with Apple), or none.</summary>
    public async Task SetSessionAsync(ReelbaseSession? session, CancellationToken cancellationToken = default) =>
        await _sessions.SaveAsync(session, cancellationToken).ConfigureAwait(false);

    /// <summary>Onboards a guest, or opens a known device's session, and keeps it.</summary>
    public async Task<DeviceCheckAnswer> CheckDeviceAsync(DeviceCheckRequest request, CancellationToken cancellationToken = default)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(_url, "device-check"));
        message.Options.Set(Sessions.IsAnonymous, true);
        var answer = await SendAsync(message, request, DeviceCheckAnswer.CreateFromDiscriminatorValue, cancellationToken).ConfigureAwait(false);
        var session = new ReelbaseSession(
            answer.AccessToken!,
            answer.RefreshToken!,
            DateTimeOffset.FromUnixTimeSeconds(answer.ExpiresAt!.Value),
            answer.UserId!.Value
        );
        await _sessions.SaveAsync(session, cancellationToken).ConfigureAwait(false);
        return answer;
    }

    /// <summary>Accepts a generation. A lost response, 5xx and 429 are retried with the same key, and charged once.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="idempotencyKey">One for each tap of the button; give it to go on after a restart of the app. A new one when absent.</param>
    /// <param name="cancellationToken">Stops waiting; the job may have been accepted all the same.</param>
    public async Task<GenerateVideoAnswer> GenerateVideoAsync(
        GenerateVideoRequest request,
        Guid? idempotencyKey = null,
        CancellationToken cancellationToken = default
    )
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(_url, "generate-video"));
        message.Headers.Add("Idempotency-Key", (idempotencyKey ?? Guid.NewGuid()).ToString());
        return await SendAsync(message, request, GenerateVideoAnswer.CreateFromDiscriminatorValue, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Each change of a job until it is completed or failed.</summary>
    public IAsyncEnumerable<JobStatusAnswer> WatchJobAsync(Guid jobId, WatchOptions? options = null, CancellationToken cancellationToken = default) =>
        new LiveStatus(_http, new Uri(_url, $"get-video-status?job_id={jobId}"), options ?? new WatchOptions()).WatchAsync(cancellationToken);

    /// <summary>Puts a picture into the user's own folder; what it answers (<c>uploads/USER/NAME</c>) goes into <c>ImageUrl</c>.</summary>
    /// <param name="name">The picture's name in that folder.</param>
    /// <param name="picture">Its bytes, which are read into memory: the server takes 10 MB at most.</param>
    /// <param name="contentType">Such as <c>image/jpeg</c>.</param>
    /// <param name="progress">Bytes sent so far and in all.</param>
    /// <param name="replace">Whether a picture of that name is replaced; else it is an error with status 409.</param>
    /// <param name="cancellationToken">Breaks the upload off.</param>
    public async Task<string> UploadPictureAsync(
        string name,
        Stream picture,
        string contentType,
        IProgress<UploadProgress>? progress = null,
        bool replace = false,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(picture);
        var session =
            await _sessions.FreshAsync(cancellationToken).ConfigureAwait(false)
            ?? throw new UnauthorizedException(new("ERR_4005", "Nobody is signed in.", 0, ReelbaseError.NoDetails));
        using var bytes = new MemoryStream();
        await picture.CopyToAsync(bytes, cancellationToken).ConfigureAwait(false);
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(_url, $"storage/v1/object/uploads/{session.UserId}/{Uri.EscapeDataString(name)}"));
        message.Headers.Add("x-upsert", replace ? "true" : "false");
        message.Content = new PictureContent(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), progress);
        message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        var answer = await SendAsync(message, null, UploadAnswer.CreateFromDiscriminatorValue, cancellationToken).ConfigureAwait(false);
        return answer.Key!;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _adapter.Dispose();
        _http.Dispose();
    }

    private async Task<T> SendAsync<T>(HttpRequestMessage message, IParsable? body, ParsableFactory<T> reader, CancellationToken cancellationToken)
        where T : IParsable
    {
        if (body is not null)
        {
            var text = await KiotaJsonSerializer
                .SerializeAsStringAsync(body, serializeOnlyChangedValues: false, cancellationToken: cancellationToken)
                .ConfigureAwait(false);
            message.Content = new StringContent(text, System.Text.Encoding.UTF8, "application/json");
        }
        using var response = await _http.SendAsync(message, cancellationToken).ConfigureAwait(false);
        var answer = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return await KiotaJsonSerializer.DeserializeAsync(answer, reader, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidDataException("the response is empty");
    }
}
