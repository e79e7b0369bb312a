using System.Net;
using System.Net.Sockets;

namespace Reelbase.Server.Platform.Http;

/// <summary>How names become addresses and addresses connections; the operating system's way unless a test has its own.</summary>
public class Dialer
{
    /// <summary>All addresses of a name.</summary>
    public virtual Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => Dns.GetHostAddressesAsync(host, cancellationToken);

    /// <summary>A connection to one of these addresses, tried in their order.</summary>
    public virtual async Task<Stream> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>
/// Connects only to public addresses. The name is resolved here and the connection goes to exactly the addresses that were
/// checked, so a name that changes its mind between check and use gains nothing. Applies to every redirect, because each
/// is a new connection.
/// </summary>
public static class PublicHttp
{
    /// <summary>A handler without redirects, proxies or cookies whose connections are checked.</summary>
    /// <param name="allowedPrivateEndpoints"><c>host:port</c> pairs that may be private; for development.</param>
    /// <param name="dialer">Resolves and connects.</param>
    public static SocketsHttpHandler CreateHandler(IReadOnlyCollection<string> allowedPrivateEndpoints, Dialer dialer) =>
        new()
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            ConnectCallback = async (context, cancellationToken) =>
            {
                var target = context.DnsEndPoint;
                var addresses = await dialer.ResolveAsync(target.Host, cancellationToken);
                if (!allowedPrivateEndpoints.Contains($"{target.Host}:{target.Port}") && !Array.TrueForAll(addresses, IsPublic))
                {
                    throw new ForbiddenAddressException($"{target.Host} leads to an address that is not public");
                }
                return await dialer.ConnectAsync(addresses, target.Port, cancellationToken);
            },
        };

    /// <summary>Whether an address is reachable for everybody. The ranges are those of IANA's special-purpose registries.</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }
        // Of IPv6 only global unicast is handed out to anybody.
        return (address.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(address))
            && !Array.Exists(Special, network => network.Contains(address));
    }

    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

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
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
        }.Select(network => IPNetwork.Parse(network)),
    ];
}

/// <summary>A connection was refused because its address is not public.</summary>
public sealed class ForbiddenAddressException(string message) : Exception(message);
