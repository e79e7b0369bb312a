namespace Reelbase.Server.Doctor;

/// <summary>What the database knows of an installation, as <c>doctor_facts()</c> returns it.</summary>
internal sealed record Facts
{
    public DateTime Now { get; init; }
    public bool IsReadOnly { get; init; }
    public string Installation { get; init; } = "";
    public Guid? StoreMarker { get; init; }
    public DateTime? BackedUpAt { get; init; }
    public bool IsArchiving { get; init; }
    public DateTime? ArchivedAt { get; init; }
    public DateTime? ArchiveFailedAt { get; init; }
    public long AlertsPending { get; init; }
    public long DeadWork { get; init; }
    public long Unowned { get; init; }
    public long Negative { get; init; }
    public string? LedgerReport { get; init; }
    public Starving[] Queues { get; init; } = [];
    public string[] Outages { get; init; } = [];
    public Product[] Products { get; init; } = [];
    public Outside[] OutsideSystems { get; init; } = [];
    public Node[] Nodes { get; init; } = [];

    internal sealed record Starving(string Provider, double Seconds, long Jobs);

    internal sealed record Product(string ProductId, int Credits);

    internal sealed record Outside(string System, DateTime? LastSuccessAt, DateTime? LastFailureAt, string? LastFailure);

    internal sealed record Node(string Name, string Version, string CommitId, string Schema, bool IsAlive, string? UntrustedPeer);
}
