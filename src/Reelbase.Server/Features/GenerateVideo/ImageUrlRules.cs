using System.Net;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Features.GenerateVideo;

/// <summary>
/// Which addresses of pictures may be handed to a provider. It fetches them, and not we, so no name is resolved here; but an address that only means
/// something inside a network, ours or theirs, is refused before anything is charged.
/// </summary>
public sealed class ImageUrlRules(
    IOptions<ServerOptions> server,
    IOptions<StorageOptions> storage,
    IOptions<DownloadOptions> downloads,
    IHostEnvironment environment
)
{
    private const int MaxUrlLength = 2048;

    // RFC 6761, RFC 6762, and what ICANN has reserved for private networks.
    private static readonly string[] PrivateSuffixes = [".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid"];

    private readonly HashSet<string> _own = [.. new[] { server.Value.PublicUrl, storage.Value.ServiceUrl }.Select(Authority).OfType<string>()];

    /// <summary>Refuses what a provider must not be sent to.</summary>
    /// <exception cref="ApiException">ERR_4003 (not_an_address, not_a_public_address, https_only).</exception>
    public void Check(string? url)
    {
        if (url is null)
        {
            return;
        }
        if (
            url.Length > MaxUrlLength
            || !Uri.TryCreate(url, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("https" or "http")
            || uri.UserInfo.Length > 0
            || !IsPlain(uri)
        )
        {
            throw ApiException.Field("ERR_4003", "image_url", "not_an_address");
        }
        if (_own.Contains(uri.Authority) || (!environment.IsProduction() && downloads.Value.AllowedPrivateEndpoints.Contains($"{uri.Host}:{uri.Port}")))
        {
            return;
        }
        if (environment.IsProduction() && uri.Scheme != "https")
        {
            throw ApiException.Field("ERR_4003", "image_url", "https_only");
        }
        if (!IsPublic(uri))
        {
            throw ApiException.Field("ERR_4003", "image_url", "not_a_public_address");
        }
    }

    /// <summary>
    /// A host in ASCII, as RFC 3986 has it (an international name is written xn--). Others are read differently by each client: digits in circles or in
    /// full width are an address for those that normalise.
    /// </summary>
    private static bool IsPlain(Uri uri) => uri.OriginalString.AsSpan(0, HostEnd(uri.OriginalString)).IndexOfAnyExceptInRange('!', '~') < 0;

    private static int HostEnd(string url)
    {
        var start = url.IndexOf("//", StringComparison.Ordinal) + 2;
        var length = url.AsSpan(start).IndexOfAny('/', '?', '#');
        return length < 0 ? url.Length : start + length;
    }

    private static bool IsPublic(Uri uri)
    {
        // A last dot changes nothing for a name, and hides an address.
        var name = uri.Host.TrimEnd('.');
        // 0x7f.1, 017700000001 and 2130706433 are read as the addresses that they are.
        if (IPAddress.TryParse(name.Trim('[', ']'), out var address))
        {
            return PublicHttp.IsPublic(address);
        }
        return Uri.CheckHostName(name) == UriHostNameType.Dns
            && name.Contains('.', StringComparison.Ordinal)
            // A last label that is a number belongs to an address (WHATWG URL, "ends in a number"), and this one is none.
            && !char.IsAsciiDigit(name[name.LastIndexOf('.') + 1])
            && !Array.Exists(PrivateSuffixes, suffix => name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase));
    }

    private static string? Authority(string? url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.Authority : null;
}
