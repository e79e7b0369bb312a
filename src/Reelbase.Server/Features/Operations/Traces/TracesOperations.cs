using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Operations.Traces;

/// <summary>What admins can do and see of errors and traces.</summary>
internal static class TracesOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query("admin-group-errors", "Errors in groups", new AdminField("hours", 24, "1 to 720")),
        Query(
            "admin-list-errors",
            "Single errors",
            new AdminField("error_code", ErrorCodes.RateLimited, "Which code"),
            new AdminField("endpoint", "/generate-video", "Which route"),
            Limit,
            Before
        ),
        Query(
            "admin-get-trace",
            "Everything that belongs to a trace id or a job",
            new AdminField("id", "4bf92f3577b34da6a3ce929d0e0e4736", "A trace id or a job id", true)
        ),
    ];
}
