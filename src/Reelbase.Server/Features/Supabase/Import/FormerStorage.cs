using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.Supabase.Import;

/// <summary>What came of asking for a file.</summary>
/// <param name="Fault">Why it is not to be had; null when it is here.</param>
/// <param name="IsMissing">The storage does not have it.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">What it is, for our records.</param>
/// <param name="Version">The ETag that it came with, to compare with the one in the former database.</param>
internal sealed record Fetched(string? Fault, bool IsMissing, long Bytes, byte[] Sha256, string? Version);

/// <summary>The storage does not answer, or refuses the key: no further file would come either.</summary>
internal sealed class FormerStorageException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>
/// A former project's storage by its REST API with the service key. The key goes to the address that was given and nowhere else, so no redirect is followed; every
/// read has a limit in bytes, each wait one in time, and what fails for a while is tried again.
/// </summary>
internal sealed class FormerStorage : IDisposable
{
    private const int Tries = 4;
    private const int MaxErrorBytes = 16_384;

    private readonly HttpClient _http;
    private readonly string _address;
    private readonly long _maxBytes;

    /// <summary>For the address of a project, https://PROJECT.supabase.co.</summary>
    public FormerStorage(string where, string serviceKey, long maxBytes)
    {
        if (
            !Uri.TryCreate(where, UriKind.Absolute, out var address)
            || !(address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            || address.UserInfo.Length > 0
        )
        {
            throw new ArgumentException("--files is the https address of the project, such as https://PROJECT.supabase.co, without a name or password in it");
        }
        if (serviceKey.Length == 0 || serviceKey.Any(letter => letter is <= ' ' or > '~'))
        {
            throw new ArgumentException("the service key is empty, or no key");
        }
        _address = address.GetLeftPart(UriPartial.Path).TrimEnd('/');
        _maxBytes = maxBytes;
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                ConnectTimeout = TimeSpan.FromSeconds(15),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", serviceKey);
        _http.DefaultRequestHeaders.Add("apikey", serviceKey);
    }

    /// <summary>How long nothing may come.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a file may take.</summary>
    public TimeSpan WholeFile { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>The longest pause that the storage may ask for between two tries.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Brings a file to a local path.</summary>
    /// <exception cref="FormerStorageException">The storage refuses the key.</exception>
    public async Task<Fetched> FetchAsync(string bucket, string name, string path, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var (fetched, pause) = await TryAsync(bucket, name, path, cancellationToken);
            if (pause is null || tries == Tries)
            {
                return fetched;
            }
            var wait = pause.Value > TimeSpan.Zero ? pause.Value : TimeSpan.FromSeconds(1 << (tries - 1));
            await Task.Delay(wait < LongestPause ? wait : LongestPause, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>One try; with a pause when it is worth another one.</summary>
    private async Task<(Fetched Fetched, TimeSpan? Pause)> TryAsync(string bucket, string name, string path, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(WholeFile);
        try
        {
            using var response = await SendAsync(bucket, name, limit);
            if (response.IsSuccessStatusCode)
            {
                return await SaveAsync(response, path, limit);
            }
            if ((int)response.StatusCode is >= 300 and < 400)
            {
                return (Failed("it is redirected to another address, which is not followed"), null);
            }
            var pause = response.Headers.RetryAfter?.Delta ?? TimeSpan.Zero;
            return await TrueStatusAsync(response, limit.Token) switch
            {
                404 => (Failed("the former storage does not have it") with { IsMissing = true }, null),
                401 or 403 => throw new FormerStorageException("the former storage refuses the service key"),
                var status and (429 or >= 500) => (Failed($"the former storage answers {Number(status)}"), pause),
                var status => (Failed($"the former storage answers {Number(status)}"), null),
            };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (Failed("the former storage falls silent"), TimeSpan.Zero);
        }
        catch (HttpRequestException)
        {
            return (Failed("the connection to the former storage breaks"), TimeSpan.Zero);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string bucket, string name, CancellationTokenSource limit)
    {
        var escaped = string.Join('/', name.Split('/').Select(Uri.EscapeDataString));
        var address = new Uri($"{_address}/storage/v1/object/authenticated/{Uri.EscapeDataString(bucket)}/{escaped}");
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        silence.CancelAfter(Silence);
        return await _http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, silence.Token);
    }

    private async Task<(Fetched Fetched, TimeSpan? Pause)> SaveAsync(HttpResponseMessage response, string path, CancellationTokenSource limit)
    {
        var length = response.Content.Headers.ContentLength;
        if (length > _maxBytes)
        {
            return (Failed($"it has {Number(length.Value)} bytes, over the {Number(_maxBytes)} of Downloads:MaxBytes"), null);
        }
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long total = 0;
        File.Delete(path);
        await using (var to = PrivateFiles.Create(path))
        await using (var from = await response.Content.ReadAsStreamAsync(limit.Token))
        {
            var buffer = new byte[80 * 1024];
            while (true)
            {
                var read = await ReadAsync(from, buffer, limit);
                if (read == 0)
                {
                    break;
                }
                if ((total += read) > _maxBytes)
                {
                    return (Failed($"it has more than the {Number(_maxBytes)} bytes of Downloads:MaxBytes"), null);
                }
                sha256.AppendData(buffer, 0, read);
                await to.WriteAsync(buffer.AsMemory(0, read), limit.Token);
            }
        }
        return length is not null && length != total
            ? (Failed("the connection to the former storage breaks"), TimeSpan.Zero)
            : (new(null, false, total, sha256.GetHashAndReset(), response.Headers.ETag?.Tag.Trim('"')), null);
    }

    /// <summary>A read that fails is the other side's; a write that fails is our disk's, which no second try mends.</summary>
    private async Task<int> ReadAsync(Stream from, byte[] buffer, CancellationTokenSource limit)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        silence.CancelAfter(Silence);
        try
        {
            return await from.ReadAsync(buffer, silence.Token);
        }
        catch (IOException error)
        {
            throw new HttpRequestException("the body broke off", error);
        }
    }

    /// <summary>Supabase answers 400 for nearly everything and has the true status in the body.</summary>
    private static async Task<int> TrueStatusAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.BadRequest)
        {
            return (int)response.StatusCode;
        }
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[MaxErrorBytes];
            var read = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            using var json = JsonDocument.Parse(buffer.AsMemory(0, read));
            return
                json.RootElement.TryGetProperty("statusCode", out var status)
                && int.TryParse(status.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : (int)response.StatusCode;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return (int)response.StatusCode;
        }
        catch (IOException error)
        {
            throw new HttpRequestException("the connection breaks in the middle of an error", error);
        }
    }

    private static Fetched Failed(string fault) => new(fault, false, 0, [], null);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
