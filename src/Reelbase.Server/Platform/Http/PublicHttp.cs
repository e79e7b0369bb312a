using System.Net;
using System.Net.Sockets;

namespace Reelbase.Server.Platform.Http;

/// <summary>
/// Connects only to public addresses. The name is resolved here and the connection goes to exactly the addresses that were
/// checked, so a name that changes its mind between check and use gains nothing. Applies to every redirect, because each
/// is a new connection.
/// </summary>
public static class PublicHttp
{
    /// <summary>A handler without redirects, proxies or cookies whose connections are checked.</summary>
    /// <param name="allowedPrivateEndpoints"><c>host:port</c> pairs that may be private; for development.</param>
    public static SocketsHttpHandler CreateHandler(IReadOnlyCollection<string> allowedPrivateEndpoints) =>
        new()
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, allowedPrivateEndpoints, cancellationToken),
        };

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint target, IReadOnlyCollection<string> allowed, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(target.Host, cancellationToken);
        if (!allowed.Contains($"{target.Host}:{target.Port}") && !Array.TrueForAll(addresses, IsPublic))
        {
            throw new ForbiddenAddressException($"{target.Host} leads to an address that is not public");
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, target.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether an address is reachable for everybody. The ranges are those of IANA's special-purpose registries.</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }
        return !Array.Exists(Special, network => network.Contains(address));
    }

    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "::/128",
            "::1/128",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "fc00::/7",
            "fe80::/10",
            "ff00::/8",
        }.Select(network => IPNetwork.Parse(network)),
    ];
}

/// <summary>A connection was refused because its address is not public.</summary>
public sealed class ForbiddenAddressException(string message) : Exception(message);
