namespace Reelbase.Server.Features.Admin.Console.Shared;

/// <summary>How a field is edited.</summary>
public enum EditKind
{
    Text,
    Flag,
    Json,
    Choice,
}

/// <summary>A field of a row that is edited.</summary>
public sealed record EditField(string Name, string Label, EditKind Kind, params string[] Choices)
{
    /// <summary>For a flag: what a new row has when nothing is sent, as the operation says.</summary>
    public bool IsOnWhenNew { get; init; }
}
