using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Campaigns.Economy.Mutations;

namespace Reelbase.Tests.Architecture;

/// <summary>A run tries a few mutations by chance: that each still finds the piece that it changes is checked for all of them, every time.</summary>
public sealed class MutationPieceTests
{
    [Fact]
    public void Every_mutation_finds_the_piece_that_it_changes() =>
        Assert.Empty(
            from mutation in MutationTable.All
            from patch in mutation.Patches
            where
                patch.Function is not null
                && !SchemaRelease.Current.Files.Any(file =>
                    (
                        file.Text.Contains($"function {patch.Function}(", StringComparison.Ordinal)
                        || file.Text.Contains($"function internal.{patch.Function}(", StringComparison.Ordinal)
                    ) && file.Text.Contains(patch.Was, StringComparison.Ordinal)
                )
            select $"{mutation.Fault}: {patch.Function} has no \"{patch.Was}\""
        );
}
