namespace Reelbase.Server.Features.Admin.Console;

/// <summary>Names the resource file of the console's texts (Texts.resx).</summary>
public sealed class Texts;
