using MudBlazor;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Traces;

/// <summary>A request and its work, by trace, in the console.</summary>
public sealed class TracesModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => TracesOperations.All;

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/errors", Icons.Material.Filled.ErrorOutline, "Errors", 120)];
}
