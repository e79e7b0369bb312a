using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Operations.Traces;

/// <summary>What admins can do and see of errors and traces.</summary>
internal static class TracesOperations
{
    public static AdminOperation<AdminGroupErrorsRequest, AdminGroupErrorsResponse> Groups { get; } =
        QueryOf("admin-group-errors", "Errors in groups", new AdminGroupErrorsRequest(), new AdminGroupErrorsResponse([]));

    public static AdminOperation<AdminListErrorsRequest, AdminListErrorsResponse> Errors { get; } =
        QueryOf("admin-list-errors", "Single errors", new AdminListErrorsRequest(), new AdminListErrorsResponse([], null));

    public static AdminOperation<AdminGetTraceRequest, AdminGetTraceResponse> Trace { get; } =
        QueryOf(
            "admin-get-trace",
            "Everything that belongs to a trace id or a job",
            new AdminGetTraceRequest("4bf92f3577b34da6a3ce929d0e0e4736"),
            new AdminGetTraceResponse([])
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Groups, Errors, Trace];
}
