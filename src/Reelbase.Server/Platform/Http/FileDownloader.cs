using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Platform.Http;

/// <summary>Section <c>Downloads</c>: what may be fetched from outside.</summary>
public sealed class DownloadOptions
{
    /// <summary>A file larger than this is refused, whether it says so or not.</summary>
    [Range(1024, 5_000_000_000)]
    public long MaxBytes { get; set; } = 500 * 1024 * 1024;

    /// <summary>Seconds that one download may take.</summary>
    [Range(1, 3600)]
    public int TimeoutSeconds { get; set; } = 120;

    /// <summary><c>host:port</c> pairs that may be private or without TLS; for development.</summary>
    public string[] AllowedPrivateEndpoints { get; set; } = [];
}

/// <summary>Fetches a file from an allowed public host into a local file, streaming, with a cap, checking every redirect.</summary>
public sealed class FileDownloader : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly DownloadOptions _options;
    private readonly HttpClient _client;

    public FileDownloader(IOptions<DownloadOptions> options, Dialer dialer)
    {
        _options = options.Value;
        _client = new HttpClient(PublicHttp.CreateHandler(_options.AllowedPrivateEndpoints, dialer)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Downloads to <paramref name="path"/>.</summary>
    /// <param name="url">Where the file is.</param>
    /// <param name="allowedHosts">Host names, or parent domains of them, that may be asked.</param>
    /// <param name="path">Where it goes; overwritten.</param>
    /// <param name="cancellationToken">Breaks the download off.</param>
    /// <returns>Its size in bytes.</returns>
    /// <exception cref="DownloadException">Says whether trying again can help.</exception>
    public Task<long> DownloadAsync(string url, IReadOnlyCollection<string> allowedHosts, string path, CancellationToken cancellationToken) =>
        DownloadAsync(url, allowedHosts, path, _options.MaxBytes, _options.TimeoutSeconds, cancellationToken);

    /// <summary>The same from whatever public host, under bounds of its own.</summary>
    /// <exception cref="DownloadException">Says whether trying again can help.</exception>
    public Task<long> DownloadFromAnywhereAsync(string url, string path, long maxBytes, double timeoutSeconds, CancellationToken cancellationToken) =>
        DownloadAsync(url, null, path, maxBytes, timeoutSeconds, cancellationToken);

    private async Task<long> DownloadAsync(
        string url,
        IReadOnlyCollection<string>? allowedHosts,
        string path,
        long maxBytes,
        double timeoutSeconds,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(timeoutSeconds));
        try
        {
            var target = new Uri(url, UriKind.Absolute);
            for (var hop = 0; hop <= MaxRedirects; hop++)
            {
                target = Check(target, allowedHosts, isRedirect: hop > 0);
                using var response = await _client.GetAsync(target, HttpCompletionOption.ResponseHeadersRead, limit.Token);
                if ((int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { } location)
                {
                    target = new Uri(target, location);
                    continue;
                }
                if (!response.IsSuccessStatusCode)
                {
                    throw new DownloadException($"the file answered {(int)response.StatusCode}", IsTransient(response.StatusCode));
                }
                if (response.Content.Headers.ContentLength > maxBytes)
                {
                    throw new DownloadException($"the file says it has {response.Content.Headers.ContentLength} bytes, over the cap of {maxBytes}", false);
                }
                return await CopyAsync(response, path, maxBytes, limit.Token);
            }
            throw new DownloadException("too many redirects", false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DownloadException("the download took too long", true);
        }
        catch (Exception error) when (error is ForbiddenAddressException || error.InnerException is ForbiddenAddressException)
        {
            throw new DownloadException("the file leads to an address that is not public", false, error);
        }
        catch (Exception error) when (error is HttpRequestException or IOException && !Storage.PrivateFiles.IsDiskFull(error))
        {
            throw new DownloadException("the download broke off", true, error);
        }
        catch (UriFormatException error)
        {
            throw new DownloadException("the file's address is no address", false, error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static async Task<long> CopyAsync(HttpResponseMessage response, string path, long maxBytes, CancellationToken cancellationToken)
    {
        await using var input = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var output = Storage.PrivateFiles.Create(path);
        var buffer = new byte[80 * 1024];
        long total = 0;
        int read;
        while ((read = await input.ReadAsync(buffer, cancellationToken)) > 0)
        {
            total += read;
            if (total > maxBytes)
            {
                throw new DownloadException($"the file has more than the cap of {maxBytes} bytes", false);
            }
            await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
        output.Flush(flushToDisk: true);
        return total;
    }

    /// <summary>The address as it is asked, when it may be asked. A dot at the end of a host and capitals do not make it another one.</summary>
    private Uri Check(Uri target, IReadOnlyCollection<string>? allowedHosts, bool isRedirect)
    {
        var host = Plain(target.HostNameType == UriHostNameType.Dns ? target.IdnHost : target.Host);
        var isDevelopmentEndpoint = _options.AllowedPrivateEndpoints.Contains($"{host}:{target.Port}", StringComparer.OrdinalIgnoreCase);
        if (!isDevelopmentEndpoint)
        {
            if (target.Scheme != Uri.UriSchemeHttps)
            {
                throw new DownloadException("the file is not offered over https", false);
            }
            if (!target.IsDefaultPort)
            {
                throw new DownloadException($"the file is offered on port {target.Port}", false);
            }
            if (
                allowedHosts is not null
                && !allowedHosts.Select(Plain).Any(allowed => host == allowed || host.EndsWith("." + allowed, StringComparison.Ordinal))
            )
            {
                throw new ForeignHostException(host, isRedirect);
            }
        }
        else if (target.Scheme != Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttp)
        {
            throw new DownloadException("the file is offered over neither https nor http", false);
        }
        return target.HostNameType != UriHostNameType.Dns || target.IdnHost == host ? target : new UriBuilder(target) { Host = host }.Uri;
    }

    private static string Plain(string host) => host.TrimEnd('.').ToLowerInvariant();

    /// <summary>Signed addresses end, and who asks again may be given a fresh one: 403, 404 and 410 are worth another try as well.</summary>
    private static bool IsTransient(HttpStatusCode status) => (int)status is 403 or 404 or 408 or 410 or 429 or >= 500;
}

/// <summary>A file could not be fetched.</summary>
/// <param name="message">Why, for support; never shown to users.</param>
/// <param name="mayRetry">Whether trying again can help.</param>
/// <param name="inner">The cause.</param>
public class DownloadException(string message, bool mayRetry, Exception? inner = null) : Exception(message, inner)
{
    public bool MayRetry { get; } = mayRetry;
}

/// <summary>A file lies on a host that it may not be fetched from.</summary>
/// <param name="host">The host, without a dot at its end and in small letters.</param>
/// <param name="isRedirect">An allowed host sent us there.</param>
public sealed class ForeignHostException(string host, bool isRedirect)
    : DownloadException($"{host} is not a host that this provider serves files from", mayRetry: false)
{
    public string Host { get; } = host;

    public bool IsRedirect { get; } = isRedirect;
}
