using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Admin.Console;

/// <summary>The console's menu: what the modules contribute, in the order of their places.</summary>
public sealed class ConsoleMenu(IEnumerable<IModule> modules)
{
    /// <summary>Its entries from top to bottom.</summary>
    public IReadOnlyList<MenuEntry> Entries { get; } =
    [.. modules.SelectMany(module => module.MenuEntries).OrderBy(entry => entry.Place).ThenBy(entry => entry.Text, StringComparer.Ordinal)];
}
