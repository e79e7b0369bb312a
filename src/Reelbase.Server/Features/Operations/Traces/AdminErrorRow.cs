using System.Text.Json;

namespace Reelbase.Server.Features.Operations.Traces;

/// <summary>An error of the log as support sees one.</summary>
public sealed record AdminErrorRow(long Id, string ErrorCode, string? Endpoint, string? TraceId, JsonElement? ErrorDetails, DateTime CreatedAt);
