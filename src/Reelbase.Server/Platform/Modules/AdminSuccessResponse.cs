namespace Reelbase.Server.Platform.Modules;

/// <summary>It is done.</summary>
public sealed record AdminSuccessResponse(bool Success);
