using System.Net;

namespace Reelbase.Server.Platform.Http;

/// <summary>
/// Notices a proxy that nobody named: behind one, https looks like http, so that the console's sign-in leads nowhere, and all phones share one
/// address and its limits. Said once in the log; the console and <c>/health/ready</c> go on saying it.
/// </summary>
public sealed class ForwardingMonitor(ILogger<ForwardingMonitor> logger, TimeProvider clock)
{
    /// <summary>What is wrong and what to do, without an address: readiness is everybody's.</summary>
    public const string Warning =
        "forwarding headers come from a peer that is not in Server:TrustedProxies and are not believed: https looks like http, and all callers share one address and its limits. Name the proxy there (doctor and the console's System page have its address)";

    private Seen? _seen;

    /// <summary>The peer that was met last; null when none was.</summary>
    public Seen? Last => Volatile.Read(ref _seen);

    /// <summary>A peer that is no trusted proxy speaks for somebody else.</summary>
    public void Note(IPAddress peer)
    {
        var seen = new Seen(ClientAddress.Normalize(peer), clock.GetUtcNow().UtcDateTime);
        var before = Volatile.Read(ref _seen);
        // An address that is known needs no new row for each of its requests.
        if (before is null || !before.Peer.Equals(seen.Peer) || seen.At - before.At > TimeSpan.FromMinutes(1))
        {
            Volatile.Write(ref _seen, seen);
        }
        if (before is null)
        {
            logger.LogCritical(
                "{Peer} sends X-Forwarded-For or X-Forwarded-Proto and is not in Server:TrustedProxies, so they are not believed: https looks like http, the console's sign-in leads nowhere, and all callers share one address and its limits. If it is your proxy, name it in Server:TrustedProxies and restart (doctor and the console's System page have its address); if nobody forwards to this server, somebody makes these headers up and nothing needs to be done",
                seen.Peer
            );
        }
    }

    /// <summary>A peer and when it was met.</summary>
    public sealed record Seen(IPAddress Peer, DateTime At);
}
