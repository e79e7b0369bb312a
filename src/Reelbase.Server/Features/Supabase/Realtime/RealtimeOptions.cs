using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>Section <c>Realtime</c>: bounds of the sockets at <c>/realtime/v1/websocket</c>. How many a user and an address may have is <c>Live:StreamsPerUser</c> and <c>Live:StreamsPerAddress</c>.</summary>
public sealed class RealtimeOptions
{
    /// <summary>Sockets of one node, whoever opens them.</summary>
    [Range(1, 1_000_000)]
    public int SocketsPerNode { get; set; } = 20_000;

    /// <summary>The largest message of a client, in bytes; a larger one closes its socket.</summary>
    [Range(4096, 1024 * 1024)]
    public int MaxMessageBytes { get; set; } = 64 * 1024;

    /// <summary>Messages a second that one socket may go on sending, ten times as many at once; more close it.</summary>
    [Range(1, 100_000)]
    public int MessagesPerSecond { get; set; } = 50;

    /// <summary>Channels that one socket may have joined at the same time.</summary>
    [Range(1, 10_000)]
    public int ChannelsPerSocket { get; set; } = 100;

    /// <summary>What topics, filters and column lists of one socket's channels may hold together, in bytes.</summary>
    [Range(1024, 1024 * 1024)]
    public int SubscriptionBytesPerSocket { get; set; } = 32 * 1024;

    /// <summary>Entries of postgres_changes in one join.</summary>
    [Range(1, 1000)]
    public int ChangesPerChannel { get; set; } = 20;

    /// <summary>Joins a second that one socket may go on making, ten times as many at once; more are refused.</summary>
    [Range(1, 10_000)]
    public int JoinsPerSecondPerSocket { get; set; } = 10;

    /// <summary>Joins a second that the sockets of one address (an IPv6 /64) may go on making, ten times as many at once; more are refused.</summary>
    [Range(1, 1_000_000)]
    public int JoinsPerSecondPerAddress { get; set; } = 500;

    /// <summary>How long a join waits in seconds until its events would arrive; after that it is refused. The clients wait for ten.</summary>
    [Range(0.1, 9.5)]
    public double JoinTimeoutSeconds { get; set; } = 8;

    /// <summary>What may wait to be read by one client, in bytes; a slower reader is dropped.</summary>
    [Range(16 * 1024, 16 * 1024 * 1024)]
    public int SendBufferBytesPerSocket { get; set; } = 256 * 1024;

    /// <summary>Seconds without a heartbeat or another message after which a socket is closed; the clients send one every 25.</summary>
    [Range(1, 3600)]
    public double IdleSeconds { get; set; } = 60;

    /// <summary>Seconds that a socket may stay without a channel of a signed-in user, whatever it sends; it holds a place of its address. Shipped builds wait for 30.</summary>
    [Range(1, 86_400)]
    public double WithoutUserSeconds { get; set; } = 40;
}
