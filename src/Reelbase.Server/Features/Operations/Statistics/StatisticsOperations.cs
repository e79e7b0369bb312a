using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Operations.Statistics;

/// <summary>What admins can do and see of figures.</summary>
internal static class StatisticsOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query("admin-overview", "The figures of a range", new AdminField("hours", 24, "1 to 8784")),
        Query(
            "admin-model-margins",
            "What each model brought and what its provider billed, the smallest margin first",
            new AdminField("days", 30, "1 to 366")
        ) with
        {
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb",
        },
        Query("admin-theme-stats", "Jobs, success and credits of each theme in a range, the most used first", new AdminField("hours", 24, "1 to 8784")),
    ];
}
