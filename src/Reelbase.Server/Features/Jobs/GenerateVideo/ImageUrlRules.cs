using System.Net;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>
/// Which addresses of pictures may be handed to a provider. It fetches them, and not we, so no name is resolved here; but an address that only means
/// something inside a network, ours or theirs, is refused before anything is charged. An address of our own storage, or a bare name in it, names a picture
/// of the caller's: it is looked up, and the provider gets a link of its own.
/// </summary>
public sealed class ImageUrlRules(IOptions<ServerOptions> server, IOptions<DownloadOptions> downloads, IHostEnvironment environment)
{
    private const int MaxUrlLength = 2048;

    // RFC 6761, RFC 6762, and what ICANN has reserved for private networks.
    private static readonly string[] PrivateSuffixes = [".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid"];

    private const string Storage = "storage/v1/object/";
    private static readonly string[] Prefixes = ["public/", "authenticated/", "sign/", ""];

    private readonly string? _own = Authority(server.Value.PublicUrl);
    private readonly string _below = Uri.TryCreate(server.Value.PublicUrl, UriKind.Absolute, out var address)
        ? address.AbsolutePath.Trim('/')
        : server.Value.PathBase?.Trim('/') ?? "";

    /// <summary>Refuses what a provider must not be sent to.</summary>
    /// <returns>The picture of our own storage that is meant; null for one that is elsewhere, or none.</returns>
    /// <exception cref="ApiException">ERR_4003 (not_an_address, not_a_public_address, https_only, not_found, no_public_url).</exception>
    public FileName? Check(string? url, HttpContext context)
    {
        if (url is null)
        {
            return null;
        }
        if (url.Length > MaxUrlLength)
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "image_url", "not_an_address");
        }
        if (!url.Contains("://", StringComparison.Ordinal))
        {
            return Own(url.TrimStart('/'), "not_an_address");
        }
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.UserInfo.Length > 0 || !IsPlain(uri))
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "image_url", "not_an_address");
        }
        if (
            (uri.Authority == _own || uri.Authority == Authority($"{context.Request.Scheme}://{context.Request.Host}"))
            && PathOf(uri) is var path
            && path.StartsWith(Storage, StringComparison.Ordinal)
        )
        {
            return Own(Uri.UnescapeDataString(path), "not_found");
        }
        if (!environment.IsProduction() && downloads.Value.AllowedPrivateEndpoints.Contains($"{uri.Host}:{uri.Port}"))
        {
            return null;
        }
        if (environment.IsProduction() && uri.Scheme != "https")
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "image_url", "https_only");
        }
        return IsPublic(uri) ? null : throw ApiException.Field(ErrorCodes.InvalidSettings, "image_url", "not_a_public_address");
    }

    /// <summary>Refuses a picture that would have to be handed over from here while there is no address of ours.</summary>
    /// <exception cref="ApiException">ERR_4003 (no_public_url).</exception>
    public void RequireOwnAddress()
    {
        if (_own is null)
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "image_url", "no_public_url");
        }
    }

    /// <summary>The path of an address of ours without the sub-path; a base address that ended in a slash makes two.</summary>
    private string PathOf(Uri uri)
    {
        var path = uri.AbsolutePath.TrimStart('/');
        return _below.Length > 0 && path.StartsWith(_below + "/", StringComparison.Ordinal) ? path[_below.Length..].TrimStart('/') : path;
    }

    /// <summary>A name in our storage, behind whichever of its prefixes, or bare.</summary>
    private FileName Own(string path, string otherwise)
    {
        var name = path;
        if (path.StartsWith(Storage, StringComparison.Ordinal))
        {
            name = path[Storage.Length..];
            name = name[Array.Find(Prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal))!.Length..];
        }
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !FileName.Buckets.Contains(name[..slash]))
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "image_url", otherwise);
        }
        var file = FileName.Parse(name[..slash], name[(slash + 1)..]);
        if (file.Folder is null || !FileName.IsValid(file.Given))
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "image_url", "not_found");
        }
        // Without an address of our own there is none to give to a provider.
        return _own is not null ? file : throw ApiException.Field(ErrorCodes.InvalidSettings, "image_url", "no_public_url");
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
