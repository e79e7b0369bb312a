using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Import;

/// <summary>Moving in from another database and its files, by the command line.</summary>
public sealed class ImportModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["imports", "import_files", "import_findings"];
}
