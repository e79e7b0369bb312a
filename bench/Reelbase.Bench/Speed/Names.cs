namespace Reelbase.Bench.Speed;

/// <summary>What the series are called, in tables and plots.</summary>
public static class Names
{
    public const string Read = "one indexed read in pgbench";
    public const string Empty = "an empty endpoint of Kestrel";
    public const string StatusFunction = "get_video_status in pgbench";
    public const string Status = "get-video-status";
    public const string Peer = "the peer on Node, two processes";
    public const string Reference = "the reference transaction in pgbench";
    public const string AcceptFunction = "generate_video in pgbench";
    public const string AcceptSpread = "generate_video of sixteen models in pgbench";
    public const string Accept = "generate-video";
    public const string None = "a finished job, none waiting";
    public const string Waiting = "a waiting job, 20,000 waiting";
    public const string Finished = "a finished job, 20,000 waiting";
}
