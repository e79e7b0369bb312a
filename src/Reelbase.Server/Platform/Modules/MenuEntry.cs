namespace Reelbase.Server.Platform.Modules;

/// <summary>A page in the console's menu, contributed by a feature's module.</summary>
/// <param name="Href">Where it leads.</param>
/// <param name="Icon">Its icon, one of <c>Icons.Material.Filled</c>.</param>
/// <param name="Text">What it is called: a text of the console's resource file.</param>
/// <param name="Place">The menu is sorted by it; those that are there are tens, so that a new one fits between.</param>
public sealed record MenuEntry(string Href, string Icon, string Text, int Place);
