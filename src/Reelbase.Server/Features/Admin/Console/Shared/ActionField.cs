namespace Reelbase.Server.Features.Admin.Console.Shared;

/// <summary>A field that a dialog asks for beside the reason.</summary>
/// <param name="Name">Its name in the request.</param>
/// <param name="Label">What the person sees.</param>
/// <param name="IsNumber">A whole number; otherwise a text.</param>
/// <param name="Value">What stands there at first.</param>
/// <param name="Choices">The values to choose from; none: anything.</param>
public sealed record ActionField(string Name, string Label, bool IsNumber = false, string Value = "", params string[] Choices);
