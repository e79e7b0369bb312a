using System.Net;
using System.Net.Sockets;

namespace Reelbase.Server.Platform.Http;

/// <summary>The one form in which a caller's address goes on from the pipeline: limits, logs and rows compare it as it is.</summary>
public static class ClientAddress
{
    private static readonly string[] ForwardingHeaders =
    [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Real-IP",
        "Forwarded",
        "Via",
        "CF-Connecting-IP",
        "True-Client-IP",
    ];

    /// <summary>IPv4 as IPv4, also where the listener has both (<c>::ffff:a.b.c.d</c>); IPv6 without the interface it came in by.</summary>
    public static IPAddress Normalize(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
        : address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new IPAddress(address.GetAddressBytes())
        : address;

    /// <summary>What counts as one caller: an IPv4 address, or an IPv6 /64, since whoever has one address of it has 2^64.</summary>
    public static IPAddress Network(IPAddress address)
    {
        var plain = Normalize(address);
        var bytes = plain.GetAddressBytes();
        if (bytes.Length == 16)
        {
            Array.Clear(bytes, 8, 8);
        }
        return new IPAddress(bytes);
    }

    /// <summary>Whether a proxy that nobody configured speaks for somebody else: headers of trusted proxies have been taken off by now.</summary>
    public static bool IsForwardedByStranger(HttpContext context) => Array.Exists(ForwardingHeaders, context.Request.Headers.ContainsKey);

    /// <summary>Whether a request carries what a proxy in front of a server says.</summary>
    public static bool Forwards(HttpContext context) =>
        context.Request.Headers.ContainsKey("X-Forwarded-For") || context.Request.Headers.ContainsKey("X-Forwarded-Proto");

    /// <summary>Middleware: writes the normalised address back, once, for everything behind it.</summary>
    public static Task NormalizeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Connection.RemoteIpAddress is { } address)
        {
            context.Connection.RemoteIpAddress = Normalize(address);
        }
        return next(context);
    }
}
