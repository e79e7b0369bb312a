using System.ComponentModel;
using System.Text.Json;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Operations.Nodes;

/// <summary>The processes, what is done at its time, what was given up, and the size of it all.</summary>
public sealed record AdminSystemResponse(
    IReadOnlyList<AdminNode> Nodes,
    IReadOnlyList<AdminOutsideSystem> OutsideSystems,
    IReadOnlyList<AdminSchedule> Schedules,
    IReadOnlyList<AdminReconciliation> Reconciliations,
    IReadOnlyList<AdminDeadWork> DeadWork,
    AdminStorageUse Storage,
    IReadOnlyList<AdminUnverifiedUse> ShippedBuilds,
    AdminDatabaseSize Database
);

/// <summary>A process.</summary>
public sealed record AdminNode(
    string Name,
    string Version,
    IReadOnlyList<string> Roles,
    DateTime StartedAt,
    DateTime SeenAt,
    string CommitId,
    string Schema,
    string? UntrustedPeer,
    DateTime? UntrustedPeerAt,
    bool IsAlive
);

/// <summary>What was last heard from an outside system.</summary>
public sealed record AdminOutsideSystem(string System, DateTime? LastSuccessAt, DateTime? LastFailureAt, string? LastFailure);

/// <summary>Something that is done at its time, and what it found.</summary>
public sealed record AdminSchedule(string Name, DateTime? LastStartedAt, DateTime? LastFinishedAt, JsonElement? Report);

/// <summary>The last comparison with Apple.</summary>
public sealed record AdminReconciliation(string Environment, DateTime? CoveredUntil, DateTime? StartedAt, DateTime? FinishedAt, JsonElement? Report);

/// <summary>Work that was given up after its attempts.</summary>
public sealed record AdminDeadWork(string Work, string Key, int Attempt, string? LastError, DateTime CreatedAt, DateTime DeadAt);

/// <summary>How builds without tokens were let in.</summary>
public sealed record AdminUnverifiedUse(string Kind, long Day, long Week, DateTime LastAt);

/// <summary>The database; rows are about as many.</summary>
public sealed record AdminDatabaseSize(string Version, long SizeBytes, long Users, long Jobs, long Ledger);

/// <summary>Why something is asked for that needs no other word.</summary>
public sealed record AdminReasonRequest([property: Description(AdminField.AboutReason)] string Reason);
