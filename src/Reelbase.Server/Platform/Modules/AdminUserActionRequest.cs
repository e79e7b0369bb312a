using System.ComponentModel;

namespace Reelbase.Server.Platform.Modules;

/// <summary>Something that is done to a user, with nothing to say but why.</summary>
public sealed record AdminUserActionRequest(
    [property: Description(AdminField.AboutUser)] Guid UserId,
    [property: Description(AdminField.AboutReason)] string Reason
)
{
    /// <summary>An example.</summary>
    internal static AdminUserActionRequest Sample { get; } = new(Guid.Parse(AdminField.UserId), AdminField.SomeReason);
}
