using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Admin;

/// <summary>Everything that admins can do and see: what the modules contribute. Two of one name stop the program at its start.</summary>
public sealed class AdminOperations(IEnumerable<IModule> modules)
{
    private readonly Dictionary<string, AdminOperation> _byName = modules
        .SelectMany(module => module.AdminOperations)
        .ToDictionary(operation => operation.Name, StringComparer.Ordinal);

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<AdminOperation> All => _byName.Values;

    /// <summary>The operation of a name.</summary>
    public AdminOperation Find(string name) => _byName[name];
}
