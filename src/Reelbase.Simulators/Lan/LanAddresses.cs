using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Reelbase.Simulators.Lan;

/// <summary>Where a phone on the same Wi-Fi finds this machine.</summary>
public static class LanAddresses
{
    private static readonly IPNetwork[] Local =
    [
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.168.0.0/16"),
        // What machines give themselves where nobody hands addresses out, and what phones' hotspots and overlays use.
        IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("127.0.0.0/8"),
    ];

    /// <summary>The machine's addresses in local networks, the one that a phone most likely reaches first.</summary>
    public static IReadOnlyList<IPAddress> Find() =>
        [
            .. NetworkInterface
                .GetAllNetworkInterfaces()
                .Where(one =>
                    one.OperationalStatus == OperationalStatus.Up
                    && one.NetworkInterfaceType is not (NetworkInterfaceType.Loopback or NetworkInterfaceType.Tunnel or NetworkInterfaceType.Ppp)
                )
                .Select(one => (one.NetworkInterfaceType, Properties: one.GetIPProperties()))
                // Bridges of containers and virtual machines lead nowhere; what has a gateway is what phones share.
                .OrderByDescending(one => one.Properties.GatewayAddresses.Any(gateway => !gateway.Address.Equals(IPAddress.Any)))
                .ThenByDescending(one => one.NetworkInterfaceType == NetworkInterfaceType.Wireless80211)
                .SelectMany(one => one.Properties.UnicastAddresses.Select(unicast => unicast.Address))
                .Where(address => IsLocal(address) && !IPAddress.IsLoopback(address))
                .Distinct(),
        ];

    /// <summary>The address to listen at.</summary>
    /// <param name="given">The one that somebody asked for; null takes the best of <see cref="Find"/>.</param>
    /// <param name="fault">Why there is none, in one line.</param>
    public static IPAddress? Choose(string? given, out string? fault)
    {
        fault = null;
        if (given is null)
        {
            var found = Find();
            fault = found.Count == 0 ? "this machine has no address in a local network: join one, or name an address after --lan" : null;
            return found.Count == 0 ? null : found[0];
        }
        if (!IPAddress.TryParse(given, out var address) || address.AddressFamily != AddressFamily.InterNetwork || address.ToString() != given)
        {
            fault = $"--lan takes an IPv4 address of this machine such as 192.168.1.20, and not {given}";
        }
        else if (!IsLocal(address))
        {
            fault = $"{given} is no address of a local network: what run starts is for Development, and not for the internet";
        }
        else if (!IsOfThisMachine(address))
        {
            fault = $"{given} is no address of this machine; it has {(Find() is { Count: > 0 } own ? string.Join(", ", own) : "none in a local network")}";
        }
        return fault is null ? address : null;
    }

    /// <summary>Whether only a local network reaches an address.</summary>
    public static bool IsLocal(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork && Local.Any(network => network.Contains(address));

    private static bool IsOfThisMachine(IPAddress address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
