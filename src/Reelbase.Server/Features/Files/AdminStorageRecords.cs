namespace Reelbase.Server.Features.Files;

/// <summary>Bytes and files in all and by kind; since when the level of the alert is passed.</summary>
public sealed record AdminStorageUse(long Bytes, long Objects, long? CapacityBytes, DateTime? AboveSince, IReadOnlyList<AdminStorageKind> Kinds);

/// <summary>Files of a kind.</summary>
public sealed record AdminStorageKind(string Kind, long Bytes, long Objects);
