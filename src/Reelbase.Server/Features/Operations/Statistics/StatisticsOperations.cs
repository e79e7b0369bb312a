using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Operations.Statistics;

/// <summary>What admins can do and see of figures.</summary>
internal static class StatisticsOperations
{
    private static readonly DateTime Moment = new(2027, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    public static AdminOperation<AdminHoursRequest, AdminOverviewResponse> Overview { get; } =
        QueryOf(
            "admin-overview",
            "The figures of a range",
            new AdminHoursRequest(),
            new AdminOverviewResponse(Moment, "hour", [], [], [], [], [], [], [], [], new(0, 0, null, null, []), new(0, 0, 0, 0))
        );

    public static AdminOperation<AdminHoursRequest, AdminThemeStatsResponse> Themes { get; } =
        QueryOf(
            "admin-theme-stats",
            "Jobs, success and credits of each theme in a range, the most used first",
            new AdminHoursRequest(),
            new AdminThemeStatsResponse(Moment, [])
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Overview, Themes];
}
