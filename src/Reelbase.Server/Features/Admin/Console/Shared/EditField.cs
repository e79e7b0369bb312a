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
public sealed record EditField(string Name, string Label, EditKind Kind, params string[] Choices);
