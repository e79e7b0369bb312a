using System.Net;

namespace Reelbase.Simulators;

/// <summary>
/// Fetches the pictures that inputs name, as the vendors do: without redirects, with a true type and length, and only what a model can read. Names that RFC 2606
/// keeps for examples have no host; here they stand for one that has any picture.
/// </summary>
public sealed class PictureReader(IHttpClientFactory clients)
{
    /// <summary>The name of its HTTP client.</summary>
    public const string ClientName = "pictures";

    private const long MaxBytes = 16 * 1024 * 1024;
    private static readonly string[] ExampleHosts = ["example.com", "example.org", "example.net", "example"];

    /// <summary>What is wrong with a picture, in fal's word for it; null when it can be read.</summary>
    public async Task<string?> FindFaultAsync(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            return "file_download_error";
        }
        if (ExampleHosts.Any(host => uri.Host == host || uri.Host.EndsWith("." + host, StringComparison.OrdinalIgnoreCase)))
        {
            return null;
        }
        try
        {
            var http = clients.CreateClient(ClientName);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            using var asked = new HttpRequestMessage(HttpMethod.Head, uri);
            using var head = await http.SendAsync(asked, limit.Token);
            using var answer = await http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (head.StatusCode != HttpStatusCode.OK || answer.StatusCode != HttpStatusCode.OK || answer.Content.Headers.ContentLength is not { } length)
            {
                return "file_download_error";
            }
            if (length > MaxBytes)
            {
                return "file_too_large";
            }
            var bytes = await answer.Content.ReadAsByteArrayAsync(limit.Token);
            return TypeOf(bytes) is { } type && type == answer.Content.Headers.ContentType?.MediaType ? null : "unsupported_image_format";
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            return "file_download_error";
        }
    }

    /// <summary>The fault of the picture that an input names in one of these fields.</summary>
    public async Task<SchemaFault?> FindFaultAsync(string field, string? url) =>
        url is not null && await FindFaultAsync(url) is { } type ? new(field, type, "The picture could not be read") : null;

    private static string? TypeOf(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith<byte>([0xFF, 0xD8, 0xFF]) ? "image/jpeg"
        : bytes.StartsWith<byte>([0x89, (byte)'P', (byte)'N', (byte)'G']) ? "image/png"
        : bytes.Length > 12 && bytes.StartsWith("RIFF"u8) && bytes[8..].StartsWith("WEBP"u8) ? "image/webp"
        : null;
}
